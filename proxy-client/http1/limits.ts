// What a head may weigh when nothing else is said: linkerd's limits.
import type { HeadLimits } from './message.ts'

/** linkerd's maxInitialLineKB 4 and maxHeadersKB 8; 100 fields, as nginx and Envoy allow no more than about that many. */
export const defaultLimits: HeadLimits = { maxStartLineBytes: 4 * 1024, maxFieldBytes: 8 * 1024, maxFields: 100 }
