// Chance that is the same in every run.
import type { Random } from '../../watch/clock.ts'

/** The mulberry32 generator. */
export function seededRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Three standard deviations of a binomial count. */
export function threeSigma(draws: number, share: number): number {
  return 3 * Math.sqrt(draws * share * (1 - share))
}
