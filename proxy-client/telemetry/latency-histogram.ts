// Latencies of one scope: coarse counts for good, fine ones of this minute and the last for quantiles. Called on every request.
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

  constructor(minutes: Minutes) {
    this.#minutes = minutes
    this.#minute = minutes.now
  }

  /** Milliseconds. */
  record(ms: number): void {
    if (this.#minute !== this.#minutes.now) this.#turn()
    const bucket = bucketOf(ms)
    this.#current[bucket] = (this.#current[bucket] ?? 0) + 1
    if (ms > 0) this.#sumOfCurrent += ms
    if (ms > this.#maxOfCurrent) this.#maxOfCurrent = ms
  }

  snapshot(): LatencySnapshot {
    if (this.#minute !== this.#minutes.now) this.#turn()
    const coarse = [...this.#coarse]
    const recent: [number, number][] = []
    for (let bucket = 0; bucket < latencyBuckets; bucket++) {
      const now = this.#current[bucket] ?? 0
      const both = now + (this.#last[bucket] ?? 0)
      if (both === 0) continue
      recent.push([bucket, both])
      add(coarse, coarseOf[bucket] ?? 0, now)
    }
    return {
      sumMs: this.#sum + this.#sumOfCurrent,
      coarse,
      recent,
      recentSumMs: this.#sumOfCurrent + this.#sumOfLast,
      recentMaxMs: Math.max(this.#maxOfCurrent, this.#maxOfLast),
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
    if (isNext) this.#current = cleared
    this.#maxOfCurrent = 0
    this.#sumOfCurrent = 0
    this.#minute = this.#minutes.now
  }
}

function add(counts: number[] | Float64Array, at: number, count: number): void {
  counts[at] = (counts[at] ?? 0) + count
}
