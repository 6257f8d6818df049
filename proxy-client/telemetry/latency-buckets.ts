// The buckets that latencies are counted in: thirty-five a decade, each at most a tenth wider than its beginning, so that a
// quantile read from them is at most 5 % off. They begin at round figures, so that the bounds of a Prometheus histogram
// are exact. Knows no counts.

const perDecade = 35
const decades = 8
/** Where the first decade begins, in milliseconds; what is shorter shares one bucket. */
const floorMs = 0.01

/** One for what is below the first decade, one for what is above the last (1,000 s). */
export const latencyBuckets = perDecade * decades + 2

/** The bucket of a latency in milliseconds; any number is taken. */
export function bucketOf(ms: number): number {
  let scaled = ms * (1 / floorMs)
  // NaN too.
  if (!(scaled >= 1)) return 0
  let first = 1
  while (scaled >= 10) {
    scaled /= 10
    first += perDecade
    if (first > perDecade * decades) return latencyBuckets - 1
  }
  // Steps of 0.1 up to 2, of 0.2 up to 5, of 0.5 up to 10.
  if (scaled < 2) return first + ((scaled * 10 - 10) | 0)
  if (scaled < 5) return first + 10 + ((scaled * 5 - 10) | 0)
  return first + 25 + ((scaled * 2 - 10) | 0)
}

/** Where a bucket begins, in milliseconds. */
export function bucketStart(bucket: number): number {
  if (bucket <= 0) return 0
  const decade = Math.floor((bucket - 1) / perDecade)
  const step = (bucket - 1) % perDecade
  const scaled = step < 10 ? 1 + step / 10 : step < 25 ? 2 + (step - 10) / 5 : 5 + (step - 25) / 2
  return scaled * floorMs * 10 ** decade
}

/** The latency that stands for a bucket: its middle, in milliseconds. */
export function bucketMiddle(bucket: number): number {
  if (bucket >= latencyBuckets - 1) return bucketStart(latencyBuckets - 1)
  return (bucketStart(bucket) + bucketStart(bucket + 1)) / 2
}

/** Upper bounds in milliseconds of the coarse buckets that are kept for good; one more is for what is above. */
export const coarseBounds: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000]

/** The coarse bucket that a bucket is part of. */
export const coarseOf: Uint8Array = Uint8Array.from({ length: latencyBuckets }, (_, bucket) => {
  const middle = bucketMiddle(bucket)
  const found = coarseBounds.findIndex(bound => middle < bound)
  return found < 0 ? coarseBounds.length : found
})
