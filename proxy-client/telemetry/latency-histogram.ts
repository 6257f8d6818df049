// Latencies of one scope: coarse counts for good; of this minute and the last fine ones for quantiles, and how requests ended.
// Called on every request.
import { bucketOf, coarseBounds, coarseOf, latencyBuckets } from './latency-buckets.ts'
import type { Minutes } from './minutes.ts'
import type { LatencySnapshot } from './snapshot.ts'

export class LatencyHistogram {
  readonly #minutes: Minutes
  #minute: number
  /** Of this minute, and of the one before. */
  #current = new Uint32Array(latencyBuckets)
  #last = new Uint32Array(latencyBuckets)
  /** Of all minutes that are over. */
  readonly #coarse = new Float64Array(coarseBounds.length + 1)
  #sum = 0
  #maxOfCurrent = 0
  #maxOfLast = 0
  #sumOfCurrent = 0
  #sumOfLast = 0
  #goodOfCurrent = 0
  #goodOfLast = 0
  #badOfCurrent = 0
  #badOfLast = 0

  constructor(minutes: Minutes) {
    this.#minutes = minutes
    this.#minute = minutes.now
  }

  /** Milliseconds; `kind` is 0 for a success, 1 for a failure, 2 for neither. */
  record(ms: number, kind: number): void {
    if (this.#minute !== this.#minutes.now) this.#turn()
    const bucket = bucketOf(ms)
    this.#current[bucket] = (this.#current[bucket] ?? 0) + 1
    if (ms > 0) this.#sumOfCurrent += ms
    if (ms > this.#maxOfCurrent) this.#maxOfCurrent = ms
    if (kind === 0) this.#goodOfCurrent++
    else if (kind === 1) this.#badOfCurrent++
  }

  snapshot(): LatencySnapshot {
    if (this.#minute !== this.#minutes.now) this.#turn()
    const coarse = [...this.#coarse]
    const recent: number[] = []
    for (let bucket = 0; bucket < latencyBuckets; bucket++) {
      const now = this.#current[bucket] ?? 0
      const both = now + (this.#last[bucket] ?? 0)
      if (both === 0) continue
      recent.push(bucket, both)
      add(coarse, coarseOf[bucket] ?? 0, now)
    }
    return {
      sumMs: this.#sum + this.#sumOfCurrent,
      coarse,
      recent,
      recentSumMs: this.#sumOfCurrent + this.#sumOfLast,
      recentMaxMs: Math.max(this.#maxOfCurrent, this.#maxOfLast),
      recentSuccesses: this.#goodOfCurrent + this.#goodOfLast,
      recentFailures: this.#badOfCurrent + this.#badOfLast,
    }
  }

  /** A new minute has begun, perhaps several. */
  #turn(): void {
    for (let bucket = 0; bucket < latencyBuckets; bucket++) {
      add(this.#coarse, coarseOf[bucket] ?? 0, this.#current[bucket] ?? 0)
    }
    this.#sum += this.#sumOfCurrent
    const isNext = this.#minutes.now === this.#minute + 1
    const cleared = this.#last.fill(0)
    if (isNext) this.#last = this.#current
    else this.#current.fill(0)
    this.#maxOfLast = isNext ? this.#maxOfCurrent : 0
    this.#sumOfLast = isNext ? this.#sumOfCurrent : 0
    this.#goodOfLast = isNext ? this.#goodOfCurrent : 0
    this.#badOfLast = isNext ? this.#badOfCurrent : 0
    if (isNext) this.#current = cleared
    this.#maxOfCurrent = 0
    this.#sumOfCurrent = 0
    this.#goodOfCurrent = 0
    this.#badOfCurrent = 0
    this.#minute = this.#minutes.now
  }
}

function add(counts: number[] | Float64Array, at: number, count: number): void {
  counts[at] = (counts[at] ?? 0) + count
}
