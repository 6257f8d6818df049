// Checks of the vector kinds that need namers: namer, bind, delegate, rewrite.
import { bind } from '../../interpreters/bind.ts'
import { delegate } from '../../interpreters/delegate.ts'
import { createInetNamers } from '../../interpreters/inet/index.ts'
import type { DelegateTree } from '../../interpreters/interpreter.ts'
import type { NamerLeaf } from '../../interpreters/namer.ts'
import { joinNamers } from '../../interpreters/namers.ts'
import { rewritePath } from '../../interpreters/rewrite/index.ts'
import { createPathMatcher } from '../../interpreters/rewrite/path-matcher.ts'
import { createUtilityNamers } from '../../interpreters/utility/index.ts'
import type { BoundName } from '../../naming/bound-tree.ts'
import type { Dentry } from '../../naming/dtab.ts'
import { createLookupIndex } from '../../naming/lookup-index.ts'
import { leaf, type NameTree } from '../../naming/name-tree.ts'
import { parseDtab, parsePath } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { showNameTree, showPrefix } from '../../naming/show.ts'
import { simplifyNameTree } from '../../naming/simplify.ts'
import type { Read } from '../../watch/cell.ts'
import { systemClock } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { createTestNamers } from './test-namers.fixture.ts'
import type { Check } from './vector.ts'

const kernel = createKernel({
  clock: systemClock,
  onError: error => {
    throw error
  },
})
const builtIn = [...createInetNamers({ kernel, clock: systemClock }), ...createUtilityNamers(kernel)]
const globalOnly = joinNamers([], builtIn)
const namers = joinNamers(createTestNamers(kernel), builtIn)
const read: Read = cell => cell.peek()

function described<L>(tree: NameTree<L>, ofLeaf: (leaf: L) => object): object {
  switch (tree.kind) {
    case 'leaf':
      return { type: 'leaf', ...ofLeaf(tree.value) }
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(child => described(child, ofLeaf)) }
    case 'union':
      return {
        type: 'union',
        trees: tree.branches.map(({ weight, tree: child }) => ({ weight, tree: described(child, ofLeaf) })),
      }
    default:
      return { type: tree.kind }
  }
}

function ofBound({ id, residual }: BoundName): object {
  return { id: showPath(id), residual: showPath(residual) }
}

function ofNamerLeaf(value: NamerLeaf): object {
  return value.kind === 'path' ? { path: showPath(value.path) } : ofBound(value)
}

function readInput(input: Readonly<Record<string, string>>) {
  const dtab = parseDtab(input.dtab ?? '')
  const path = parsePath(input.path ?? '')
  return dtab.ok && path.ok ? { rules: createLookupIndex(dtab.value), path: path.value } : undefined
}

function checkBind(input: Readonly<Record<string, string>>): unknown {
  const parsed = readInput(input)
  if (parsed === undefined) return undefined
  const { state } = bind({ ...parsed, namers, read })
  if (state.kind === 'failed') return undefined
  if (state.kind === 'pending') return { state: 'pending' }
  return {
    state: 'ok',
    tree: described(state.value, ofBound),
    simplified: described(simplifyNameTree(state.value), ofBound),
  }
}

function describedDentry(dentry: Dentry | undefined): object | null {
  return dentry === undefined ? null : { prefix: showPrefix(dentry.prefix), dst: showNameTree(dentry.dst) }
}

function describedStep(step: DelegateTree): object {
  const node = { type: step.kind, path: showPath(step.path), dentry: describedDentry(step.dentry) }
  switch (step.kind) {
    case 'delegate':
      return { ...node, delegate: describedStep(step.tree) }
    case 'alt':
      return { ...node, alt: step.trees.map(describedStep) }
    case 'union':
      return { ...node, union: step.branches.map(({ weight, tree }) => ({ weight, tree: describedStep(tree) })) }
    case 'leaf':
      return { ...node, bound: ofBound(step) }
    case 'exception':
      return { ...node, message: step.message }
    default:
      return node
  }
}

function checkDelegate(input: Readonly<Record<string, string>>): unknown {
  const parsed = readInput(input)
  if (parsed === undefined) return undefined
  const { state } = delegate({ rules: parsed.rules, tree: leaf<Path>(parsed.path), namers, read })
  return state.kind === 'ok' ? describedStep(state.value) : undefined
}

function checkNamer(input: Readonly<Record<string, string>>): unknown {
  const path = parsePath(input.path ?? '')
  const state = path.ok ? globalOnly.lookup(path.value, read) : undefined
  return state?.kind === 'ok' ? { tree: described(state.value, ofNamerLeaf) } : undefined
}

function checkRewrite(input: Readonly<Record<string, string>>): unknown {
  const path = parsePath(input.path ?? '')
  if (!path.ok) return undefined
  try {
    const rewritten = rewritePath(createPathMatcher(input.pattern ?? ''), input.name ?? '', path.value)
    return { path: rewritten === undefined ? null : showPath(rewritten) }
  } catch {
    return undefined // the vectors say only that it fails
  }
}

export const interpreterKinds: Readonly<Record<string, Check>> = {
  bind: checkBind,
  delegate: checkDelegate,
  namer: checkNamer,
  rewrite: checkRewrite,
}
