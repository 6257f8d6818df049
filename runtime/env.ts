// What a store or namer is given when it is opened.
import type { Kernel } from '../watch/cell.ts'
import type { Clock, Random } from '../watch/clock.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export interface Env {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}
