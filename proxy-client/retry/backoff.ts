// Waits between tries, as a sequence. Knows nothing of what is tried, and holds no timer.
import type { Random } from '../../watch/clock.ts'
import type { BackoffConfig } from './backoff-config.ts'

/** One sequence of waits. */
export interface Backoff {
  /** Milliseconds until the next try. */
  next(): number
  /** Begins anew. */
  reset(): void
}

/** Doubles from `minMs` up to `maxMs`; half of each wait is by chance, so that many that failed together do not return together. */
interface EqualJitter {
  readonly kind: 'equalJittered'
  readonly minMs: number
  readonly maxMs: number
}

export type BackoffSchedule = BackoffConfig | EqualJitter

class Constant implements Backoff {
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  next(): number {
    return this.#ms
  }

  reset(): void {}
}

/** Each wait lies by chance between the least and three times the one before. */
class DecorrelatedJitter implements Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: Random
  #lastMs: number

  constructor(minMs: number, maxMs: number, random: Random) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#random = random
    this.#lastMs = minMs
  }

  next(): number {
    const most = Math.min(this.#maxMs, this.#lastMs * 3)
    this.#lastMs = this.#minMs + this.#random() * (most - this.#minMs)
    return this.#lastMs
  }

  reset(): void {
    this.#lastMs = this.#minMs
  }
}

class HalfByChance implements Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: Random
  #mostMs: number

  constructor(minMs: number, maxMs: number, random: Random) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#random = random
    this.#mostMs = Math.min(maxMs, 2 * minMs)
  }

  next(): number {
    const half = this.#mostMs / 2
    this.#mostMs = Math.min(this.#maxMs, this.#mostMs * 2)
    return half + this.#random() * half
  }

  reset(): void {
    this.#mostMs = Math.min(this.#maxMs, 2 * this.#minMs)
  }
}

/** Makes one sequence: one for each request that is tried again, one for each endpoint that is left alone. */
export function createBackoff(schedule: BackoffSchedule, random: Random): Backoff {
  switch (schedule.kind) {
    case 'constant':
      return new Constant(schedule.ms)
    case 'jittered':
      return new DecorrelatedJitter(schedule.minMs, schedule.maxMs, random)
    case 'equalJittered':
      return new HalfByChance(schedule.minMs, schedule.maxMs, random)
  }
}
