// Where the last good state is kept for the next start, and how old it may become.
import { z } from 'zod'

/** A week. */
export const defaultMaxAgeSecs = 604_800

/** false: nothing is kept. Without the key the command chooses a directory (state-directory.ts); a program that starts a proxy keeps nothing. */
export const lastGoodConfig = z.union([
  z.literal(false),
  z.strictObject({
    /** A directory of this proxy alone; made when it is not there. */
    path: z.string().min(1),
    /** What was not confirmed for longer than this is not served at a start. */
    maxAgeSecs: z.int().min(1).max(31_536_000).default(defaultMaxAgeSecs),
  }),
])

export type LastGoodConfig = z.output<typeof lastGoodConfig>
