// Which entries two dtabs have in common, in the same order: the base of diffs, changed prefixes and cheap re-indexing.
import { dentryDigest } from './dentry-digest.ts'
import type { Dtab } from './dtab.ts'
import { dentryEquals } from './equal.ts'
import { longestRising } from './longest-rising.ts'

/** Entries outside the common ones, by index, ascending. What is left of both dtabs is equal, entry by entry. */
export interface Alignment {
  readonly removed: readonly number[]
  readonly added: readonly number[]
}

/** With more unequal entries than this on one side all of them count as changed: a bound on the work. */
const mostMatched = 100_000

/** Candidates tried for one entry, so that crafted digests cannot make the work quadratic. */
const mostCandidates = 32

/** Common entries of two dtabs: all of the equal head and tail, and a longest common order of what is between. */
export function alignDtabs(before: Dtab, after: Dtab): Alignment {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && equalAt(before, head, after, head)) head++
  let tail = 0
  while (tail < shorter - head && equalAt(before, before.length - 1 - tail, after, after.length - 1 - tail)) tail++
  const beforeEnd = before.length - tail
  const afterEnd = after.length - tail
  const mostChanged = Math.max(beforeEnd, afterEnd) - head
  const isWorthMatching = Math.min(beforeEnd, afterEnd) > head && mostChanged <= mostMatched
  const common = isWorthMatching ? matchBetween(before, after, head, beforeEnd, afterEnd) : []
  return {
    removed: missingFrom(
      common.map(pair => pair.before),
      head,
      beforeEnd,
    ),
    added: missingFrom(
      common.map(pair => pair.after),
      head,
      afterEnd,
    ),
  }
}

function equalAt(before: Dtab, beforeIndex: number, after: Dtab, afterIndex: number): boolean {
  const a = before[beforeIndex]
  const b = after[afterIndex]
  return a !== undefined && b !== undefined && dentryEquals(a, b)
}

interface CommonEntry {
  readonly before: number
  readonly after: number
}

/** Pairs equal entries between `start` and the ends, then keeps the most that stand in one order. */
function matchBetween(
  before: Dtab,
  after: Dtab,
  start: number,
  beforeEnd: number,
  afterEnd: number,
): readonly CommonEntry[] {
  const unpaired = indexByDigest(before, start, beforeEnd)
  const pairs: CommonEntry[] = []
  for (let index = start; index < afterEnd; index++) {
    const dentry = after[index]
    const candidates = dentry && unpaired.get(dentryDigest(dentry))
    if (candidates === undefined) continue
    const partner = takeLowest(candidates, candidate => equalAt(before, candidate, after, index))
    if (partner !== undefined) pairs.push({ before: partner, after: index })
  }
  return longestRising(pairs, pair => pair.before)
}

/** Takes the lowest of the descending candidates that is equal out of them, if it is among the first to be tried. */
function takeLowest(candidates: number[], isEqual: (candidate: number) => boolean): number | undefined {
  const end = Math.max(0, candidates.length - mostCandidates)
  for (let at = candidates.length - 1; at >= end; at--) {
    const candidate = candidates[at]
    if (candidate === undefined || !isEqual(candidate)) continue
    candidates.splice(at, 1)
    return candidate
  }
  return undefined
}

/** Indexes by digest, the lowest last: taking from the end of a long list is cheap. */
function indexByDigest(dtab: Dtab, start: number, end: number): Map<number, number[]> {
  const byDigest = new Map<number, number[]>()
  for (let index = end - 1; index >= start; index--) {
    const dentry = dtab[index]
    if (dentry === undefined) break
    const digest = dentryDigest(dentry)
    const indexes = byDigest.get(digest)
    if (indexes === undefined) byDigest.set(digest, [index])
    else indexes.push(index)
  }
  return byDigest
}

/** The indexes in [start, end) that are not among `present`, which ascend. */
function missingFrom(present: readonly number[], start: number, end: number): readonly number[] {
  const missing: number[] = []
  let next = 0
  for (let index = start; index < end; index++) {
    if (present[next] === index) next++
    else missing.push(index)
  }
  return missing
}
