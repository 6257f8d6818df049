// Figures for people and exports, read from counted latencies.
import { bucketMiddle, bucketStart, coarseBounds } from './latency-buckets.ts'
import type { LatencySnapshot, RequestsSnapshot } from './snapshot.ts'

/** Requests of this minute and the last. */
export function recentCount({ recent }: LatencySnapshot): number {
  let sum = 0
  for (let i = 1; i < recent.length; i += 2) sum += recent[i] ?? 0
  return sum
}

/** The latency in milliseconds under which that share of recent requests stayed, at most 5 % off; undefined without any. */
export function quantileMs(latency: LatencySnapshot, share: number): number | undefined {
  const { recent, recentMaxMs } = latency
  const [first] = recent
  if (first === undefined) return undefined
  if (share <= 0) return Math.min(bucketStart(first), recentMaxMs)
  if (share >= 1) return recentMaxMs
  const rank = share * recentCount(latency)
  let seen = 0
  for (let i = 0; i < recent.length; i += 2) {
    seen += recent[i + 1] ?? 0
    if (seen >= rank) return Math.min(bucketMiddle(recent[i] ?? 0), recentMaxMs)
  }
  return recentMaxMs
}

/** Requests ever. */
export function totalCount({ coarse }: LatencySnapshot): number {
  return coarse.reduce((sum, count) => sum + count, 0)
}

/** How many requests ever took at most so many milliseconds; each of `boundsMs` is one of `coarseBounds`. */
export function cumulativeCounts({ coarse }: LatencySnapshot, boundsMs: readonly number[]): readonly number[] {
  return boundsMs.map(boundMs => {
    let sum = 0
    for (const [i, bound] of coarseBounds.entries()) if (bound <= boundMs) sum += coarse[i] ?? 0
    return sum
  })
}

/** How requests ended, whatever their status. */
export function resultCounts({ ended }: RequestsSnapshot): {
  readonly success: number
  readonly failure: number
  readonly abandoned: number
} {
  const sum = (kind: number): number => ended.reduce((all, count, i) => (i % 3 === kind ? all + count : all), 0)
  return { success: sum(0), failure: sum(1), abandoned: sum(2) }
}

/** Share of recent requests that succeeded, those whose client left apart; undefined without any. */
export function recentSuccessRate({ recentSuccesses, recentFailures }: LatencySnapshot): number | undefined {
  const judged = recentSuccesses + recentFailures
  return judged === 0 ? undefined : recentSuccesses / judged
}
