// Where the last good state is kept for the next start, and how old it may become.
import { z } from 'zod'

/** false: nothing is kept. Without the key the command chooses a file; a proxy that is started by a program keeps none. */
export const lastGoodConfig = z.union([
  z.literal(false),
  z.strictObject({
    /** The file; workers write beside it. Its directory is made when it is not there. */
    path: z.string().min(1),
    /** What was not confirmed for longer than this is not served at a start. */
    maxAgeSecs: z.int().min(1).max(31_536_000).default(604_800),
  }),
])

export type LastGoodConfig = z.output<typeof lastGoodConfig>
