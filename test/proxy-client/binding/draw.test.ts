import { describe, expect, it } from 'vitest'
import { alt, empty, fail, leaf, type NameTree, neg, union } from '../../../naming/name-tree.ts'
import { createLottery } from '../../../proxy-client/binding/draw.ts'
import { seededRandom, threeSigma } from '../seeded-random.fixture.ts'

const draws = 10_000

/** How often each outcome comes. */
function count(tree: NameTree<string>): Readonly<Record<string, number>> {
  const lottery = createLottery(tree)
  const random = seededRandom(42)
  const counts: Record<string, number> = {}
  for (let i = 0; i < draws; i++) {
    const drawn = lottery.draw(random)
    const key = drawn.kind === 'leaf' ? drawn.value : drawn.kind
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

function expectShare(counts: Readonly<Record<string, number>>, key: string, share: number): void {
  expect(Math.abs((counts[key] ?? 0) - draws * share)).toBeLessThan(threeSigma(draws, share))
}

const weighted = (...branches: readonly [number, NameTree<string>][]): NameTree<string> =>
  union(branches.map(([weight, tree]) => ({ weight, tree })))

describe('a draw from a bound tree', () => {
  it('gives the leaf of a tree that is one leaf, and the kind of one that has none', () => {
    expect(count(leaf('a'))).toEqual({ a: draws })
    expect(count(neg)).toEqual({ neg: draws })
    expect(count(fail)).toEqual({ fail: draws })
    expect(count(empty)).toEqual({ empty: draws })
    expect(count(union([]))).toEqual({ neg: draws })
  })

  it('splits 10 to 90 within three sigma over 10,000 requests', () => {
    const counts = count(weighted([0.1, leaf('new')], [0.9, leaf('old')]))
    expectShare(counts, 'new', 0.1)
    expectShare(counts, 'old', 0.9)
  })

  it('takes weights as relative to their own union only', () => {
    const counts = count(weighted([300, weighted([1, leaf('a')], [3, leaf('b')])], [100, leaf('c')]))
    expectShare(counts, 'a', 0.75 * 0.25)
    expectShare(counts, 'b', 0.75 * 0.75)
    expectShare(counts, 'c', 0.25)
  })

  it('draws a branch without a leaf by its weight like any other', () => {
    const counts = count(weighted([1, leaf('a')], [1, empty], [1, fail], [1, neg]))
    for (const key of ['a', 'empty', 'fail', 'neg']) expectShare(counts, key, 0.25)
  })

  it('never draws a branch of weight zero', () => {
    expect(count(weighted([0, leaf('a')], [0.001, leaf('b')]))).toEqual({ b: draws })
  })

  it('splits evenly when every weight is zero', () => {
    const counts = count(weighted([0, leaf('a')], [0, leaf('b')]))
    expectShare(counts, 'a', 0.5)
    expectShare(counts, 'b', 0.5)
  })

  it('leaves nothing to finite weights beside an infinite one', () => {
    const counts = count(weighted([Infinity, leaf('a')], [1e300, leaf('b')], [Infinity, leaf('c')]))
    expectShare(counts, 'a', 0.5)
    expect(counts.b).toBeUndefined()
  })

  it('is not thrown off by weights whose sum is infinite', () => {
    const counts = count(weighted([Number.MAX_VALUE, leaf('a')], [Number.MAX_VALUE, leaf('b')]))
    expectShare(counts, 'a', 0.5)
  })

  it('takes the first alternative that is not neg', () => {
    expect(count(alt([neg, leaf('a'), leaf('b')]))).toEqual({ a: draws })
    expect(count(alt([]))).toEqual({ neg: draws })
  })

  it('bears a tree that nests 100,000 deep', () => {
    let tree: NameTree<string> = leaf('a')
    for (let i = 0; i < 100_000; i++) tree = union([{ weight: 1, tree }])
    expect(createLottery(tree).shares).toEqual([{ share: 1, outcome: leaf('a') }])
  })
})
