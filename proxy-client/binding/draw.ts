// Draws one leaf of a bound tree by weight, as Finagle does: level by level. Knows nothing of endpoints.
import type { NameTree } from '../../naming/name-tree.ts'
import type { Random } from '../../watch/clock.ts'

/** What a draw gives: a leaf, or the reason that there is none. */
export type Drawn<T> = { readonly kind: 'leaf'; readonly value: T } | { readonly kind: 'neg' | 'fail' | 'empty' }

/** A tree flattened once, so that a request costs one random number. */
export interface Lottery<T> {
  /** One outcome. A branch that is neg, fail or empty is drawn by its weight like any other. */
  draw(random: Random): Drawn<T>
  /** Every outcome with its share of the draws, from 0 to 1. */
  readonly shares: readonly Share<T>[]
}

export interface Share<T> {
  readonly share: number
  readonly outcome: Drawn<T>
}

/** Flattens a tree. Weights of one union are relative to each other; all zero means equal; infinite ones leave nothing to finite ones. */
export function createLottery<T>(tree: NameTree<T>): Lottery<T> {
  const shares = flatten(tree)
  const bounds = new Float64Array(shares.length)
  let sum = 0
  for (const [i, { share }] of shares.entries()) {
    sum += share
    bounds[i] = sum
  }
  const last: Drawn<T> = shares.at(-1)?.outcome ?? { kind: 'neg' }
  if (shares.length <= 1) return { shares, draw: () => last }
  return {
    shares,
    draw: random => {
      const ticket = random() * sum
      for (let i = 0; i < bounds.length; i++) if (ticket < (bounds[i] ?? sum)) return shares[i]?.outcome ?? last
      return last
    },
  }
}

/** Iterative, for a tree from the wire may nest deeply. Outcomes that can never be drawn are left out. */
function flatten<T>(root: NameTree<T>): readonly Share<T>[] {
  const shares: Share<T>[] = []
  const todo: { readonly tree: NameTree<T>; readonly share: number }[] = [{ tree: root, share: 1 }]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { tree, share } = next
    if (tree.kind === 'union' && tree.branches.length > 0) {
      const fractions = fractionsOf(tree.branches.map(branch => branch.weight))
      for (let i = tree.branches.length - 1; i >= 0; i--) {
        const branch = tree.branches[i]
        const fraction = fractions[i] ?? 0
        if (branch !== undefined && fraction > 0) todo.push({ tree: branch.tree, share: share * fraction })
      }
    } else if (tree.kind === 'alt') {
      // A binding has no alternatives left; should one come, the first that is not neg stands for it.
      todo.push({ tree: tree.trees.find(kid => kid.kind !== 'neg') ?? { kind: 'neg' }, share })
    } else {
      shares.push({ share, outcome: tree.kind === 'union' ? { kind: 'neg' } : tree })
    }
  }
  return shares
}

function fractionsOf(weights: readonly number[]): readonly number[] {
  const infinite = weights.filter(weight => weight === Number.POSITIVE_INFINITY).length
  if (infinite > 0) return weights.map(weight => (weight === Number.POSITIVE_INFINITY ? 1 / infinite : 0))
  const max = Math.max(...weights)
  if (!(max > 0)) return weights.map(() => 1 / weights.length)
  const scaled = weights.map(weight => weight / max)
  const sum = scaled.reduce((a, b) => a + b, 0)
  return scaled.map(weight => weight / sum)
}
