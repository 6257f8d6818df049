// Ids for l5d-reqid, which tie together what the hops of one request log.
import type { Random } from '../../watch/clock.ts'

const twoTo32 = 2 ** 32

/** A maker of 16 hex digits: half by chance, once per process, half counted from a chance start. */
export function createRequestIds(random: Random): () => string {
  const half = (): number => Math.floor(random() * twoTo32)
  const prefix = half().toString(16).padStart(8, '0')
  let count = half()
  return () => {
    count = (count + 1) % twoTo32
    return prefix + count.toString(16).padStart(8, '0')
  }
}
