// The bounds of what a router keeps of names, with linkerd's keys and defaults.
import { z } from 'zod'

const entries = z.int().min(1).max(1_000_000).default(1_000)

/**
 * How many names and clients are kept, and for how long when nobody asks for them. `trees` and `bounds` are linkerd's other
 * two caches: here a name holds its tree and a client its bound id, so that they are accepted and change nothing.
 */
export const bindingCacheConfig = z.strictObject({
  paths: entries,
  trees: entries,
  bounds: entries,
  clients: entries,
  idleTtlSecs: z.int().min(1).max(86_400).default(600),
})
