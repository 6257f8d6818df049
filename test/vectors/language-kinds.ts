// Checks of the vector kinds that need the language alone: path, prefix, dentry, dtab, tree, match, concat, lookup.
import { type Dtab, prefixMatches } from '../../naming/dtab.ts'
import { evalNameTree } from '../../naming/eval.ts'
import { createLookupIndex } from '../../naming/lookup-index.ts'
import type { NameTree } from '../../naming/name-tree.ts'
import { parseDentry, parseDtab, parseNameTree, parsePath, parsePrefix } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { Result } from '../../naming/result.ts'
import { showDentry, showDtab, showNameTree, showPrefix } from '../../naming/show.ts'
import { simplifyDtab, simplifyNameTree } from '../../naming/simplify.ts'
import type { Check } from './vector.ts'

function hex(label: string): string {
  return Buffer.from(label, 'latin1').toString('hex')
}

function valueFrom<T>(result: Result<T>): T | undefined {
  return result.ok ? result.value : undefined
}

/** A tree in the vectors' form. */
export function treeToAst(tree: NameTree<Path>): unknown {
  switch (tree.kind) {
    case 'leaf':
      return { type: 'leaf', path: showPath(tree.value) }
    case 'alt':
      return { type: 'alt', trees: tree.trees.map(treeToAst) }
    case 'union':
      return {
        type: 'union',
        trees: tree.branches.map(({ weight, tree: branch }) => ({
          weight: weight === Number.POSITIVE_INFINITY ? 'Infinity' : weight,
          tree: treeToAst(branch),
        })),
      }
    default:
      return { type: tree.kind }
  }
}

function describeDtab(dtab: Dtab): unknown {
  return {
    entries: dtab.map(({ prefix, dst }) => ({ prefix: showPrefix(prefix), dst: showNameTree(dst) })),
    show: showDtab(dtab),
    simplified: showDtab(simplifyDtab(dtab)),
  }
}

function checkPath({ s = '' }: Readonly<Record<string, string>>): unknown {
  const path = valueFrom(parsePath(s))
  return path && { elems: path.map(hex), show: showPath(path) }
}

function checkPrefix({ s = '' }: Readonly<Record<string, string>>): unknown {
  const prefix = valueFrom(parsePrefix(s))
  return prefix && { elems: prefix.map(elem => (elem === null ? null : hex(elem))), show: showPrefix(prefix) }
}

function checkDentry({ s = '' }: Readonly<Record<string, string>>): unknown {
  const dentry = valueFrom(parseDentry(s))
  return dentry && { prefix: showPrefix(dentry.prefix), dst: showNameTree(dentry.dst), show: showDentry(dentry) }
}

function checkTree({ s = '' }: Readonly<Record<string, string>>): unknown {
  const tree = valueFrom(parseNameTree(s))
  return (
    tree && {
      show: showNameTree(tree),
      simplified: showNameTree(simplifyNameTree(tree)),
      ast: treeToAst(tree),
      eval: evalNameTree(tree)?.map(showPath).sort() ?? null,
    }
  )
}

function checkMatch(input: Readonly<Record<string, string>>): unknown {
  const prefix = valueFrom(parsePrefix(input.prefix ?? ''))
  const path = valueFrom(parsePath(input.path ?? ''))
  return prefix && path && { matches: prefixMatches(prefix, path) }
}

function checkConcat(input: Readonly<Record<string, string>>): unknown {
  const a = valueFrom(parseDtab(input.a ?? ''))
  const b = valueFrom(parseDtab(input.b ?? ''))
  return a && b && describeDtab([...a, ...b])
}

function checkLookup(input: Readonly<Record<string, string>>): unknown {
  const dtab = valueFrom(parseDtab(input.dtab ?? ''))
  const path = valueFrom(parsePath(input.path ?? ''))
  if (dtab === undefined || path === undefined) return undefined
  const tree = createLookupIndex(dtab).lookup(path)
  return { show: showNameTree(tree), simplified: showNameTree(simplifyNameTree(tree)), ast: treeToAst(tree) }
}

export const languageKinds: Readonly<Record<string, Check>> = {
  path: checkPath,
  prefix: checkPrefix,
  dentry: checkDentry,
  dtab: ({ s = '' }) => {
    const dtab = valueFrom(parseDtab(s))
    return dtab && describeDtab(dtab)
  },
  tree: checkTree,
  match: checkMatch,
  concat: checkConcat,
  lookup: checkLookup,
}
