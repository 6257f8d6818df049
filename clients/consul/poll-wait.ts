// How long a blocking query may be held, by how many queries share how many connections. Pure.
import type { Random } from '../../watch/clock.ts'

/** When there are more queries than connections, each has its turn within this time and a little, in milliseconds. */
const turnMs = 3400
/** A query is not held for less, so that very many queries have longer turns and not more requests per second. */
const shortestWaitMs = 250
const fewestMs = 30_000
const mostMs = 60_000

/**
 * The `wait` of the next blocking query, in milliseconds. While each query has a connection: 30-60 s, at random so that
 * they do not end together. Otherwise turnMs * connections / queries: so long after it was asked each query has its
 * connection again. Above 13 queries to a connection the turns become longer: 250 ms for each query of a connection.
 */
export function waitMsFor(queries: number, connections: number, random: Random): number {
  if (queries <= connections) return Math.round(fewestMs + random() * (mostMs - fewestMs))
  return Math.max(shortestWaitMs, Math.round((turnMs * connections) / queries))
}

/** Until when the first byte of the answer must have come. The agent adds up to a sixteenth to `wait`. */
export function answerWithinMs(waitMs: number): number {
  return waitMs + waitMs / 16 + 5000
}
