// The walk, which remembers results, against the bind law written down plainly, which does not, over random rules.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bind } from '../../interpreters/bind.ts'
import { joinNamers, type Namers } from '../../interpreters/namers.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { formatDtab } from '../../naming/format.ts'
import { createLookupIndex, type LookupIndex } from '../../naming/lookup-index.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import { simplifyNameTree } from '../../naming/simplify.ts'
import type { Kernel, Read } from '../../watch/cell.ts'
import { ok, pending, type State } from '../../watch/state.ts'
import { createTestNamers } from '../vectors/test-namers.fixture.ts'
import { createWorld, textOf } from './world.fixture.ts'

const read: Read = cell => cell.peek()
const layers = 6

function namersOf(kernel: Kernel): Namers {
  return joinNamers(createTestNamers(kernel), [])
}

/** What the law says, case by case, with no regard to cost. The rules must not lead in a circle. */
function plainly(tree: NameTree<Path>, rules: LookupIndex, namers: Namers): State<BoundTree> {
  switch (tree.kind) {
    case 'leaf': {
      const found = rules.lookup(tree.value)
      if (found.kind !== 'neg') return plainly(found, rules, namers)
      const named = namers.lookup(tree.value, read)
      if (named.kind !== 'ok') return named
      const { value: answer } = named
      if (answer.kind === 'alt' || answer.kind === 'union')
        throw new Error('the model has no namer that gives a choice')
      if (answer.kind !== 'leaf') return ok(answer)
      const { value } = answer
      if (value.kind === 'path') return plainly(leaf(value.path), rules, namers)
      return ok(leaf({ id: value.id, residual: value.residual }))
    }
    case 'alt': {
      for (const child of tree.trees) {
        const state = plainly(child, rules, namers)
        if (state.kind !== 'ok' || state.value.kind !== 'neg') return state
      }
      return ok(neg)
    }
    case 'union': {
      const states = tree.branches.map(branch => ({ ...branch, state: plainly(branch.tree, rules, namers) }))
      const known = states.flatMap(({ weight, state }) => (state.kind === 'ok' ? [{ weight, tree: state.value }] : []))
      if (known.length > 0) return ok(simplifyNameTree(union(known)))
      return states.find(({ state }) => state.kind === 'failed')?.state ?? pending
    }
    default:
      return ok(tree)
  }
}

/** Trees whose paths lead to layers below `layer`, or to the test namers. */
function trees(layer: number): fc.Arbitrary<NameTree<Path>> {
  const below = Array.from({ length: layers - layer - 1 }, (_, i) => [`l${layer + i + 1}`])
  const names = ['x', 'neg', 'empty', 'fail', 'throw', 'pending'].map(name => ['#', 'io.test', name])
  const leaves = fc.constantFrom<NameTree<Path>>(...[...below, ...below, ...names].map(path => leaf<Path>(path)))
  const { tree } = fc.letrec<{ tree: NameTree<Path> }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 2, depthSize: 'small' },
      { weight: 4, arbitrary: leaves },
      { weight: 1, arbitrary: fc.constantFrom<NameTree<Path>>(neg, fail, empty) },
      { weight: 2, arbitrary: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }).map(parts => alt(parts)) },
      {
        weight: 3,
        arbitrary: fc
          .array(fc.record({ weight: fc.constantFrom(0, 0.5, 1), tree: tie('tree') }), { minLength: 2, maxLength: 4 })
          .map(parts => union(parts)),
      },
    ),
  }))
  return tree
}

const dtabs = fc
  .tuple(...Array.from({ length: layers - 1 }, (_, layer) => fc.array(trees(layer), { minLength: 1, maxLength: 2 })))
  .map(perLayer => perLayer.flatMap((dsts, layer) => dsts.map(dst => ({ prefix: [`l${layer}`], dst }))))

/** A failure's text names what went wrong; which leaf a pending one waits for is not part of the law. */
function outcome(state: State<BoundTree>): string {
  return state.kind === 'pending'
    ? 'pending'
    : state.kind === 'failed'
      ? `failed: ${state.error.message}`
      : textOf(state)
}

describe('the walk', () => {
  it('gives what the law gives, however much of it is remembered', () => {
    const namers = namersOf(createWorld().kernel)
    let long = 0
    fc.assert(
      fc.property(dtabs, dtab => {
        const rules = createLookupIndex(dtab)
        const { state, lookedUp } = bind({ rules, namers, read, path: ['l0', 'rest'] })
        if (lookedUp.length > 16) long++
        expect(outcome(state), formatDtab(dtab)).toBe(outcome(plainly(leaf(['l0', 'rest']), rules, namers)))
      }),
      { numRuns: 500, seed: 42 },
    )
    expect(long).toBeGreaterThan(20)
  })
})
