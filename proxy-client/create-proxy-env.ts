// What every part of a proxy process is given: real time, a kernel, metrics of the process.
import type { Env } from '../runtime/env.ts'
import type { Log } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import type { SourceEvent } from '../watch/cell.ts'
import { systemClock, systemRandom } from '../watch/clock.ts'
import { createKernel } from '../watch/kernel.ts'
import { createTurnClock } from './turn-clock.ts'

/** The caller closes its kernel. */
export function createProxyEnv(log: Log): Env {
  const onError = (error: unknown, where: string): void => log.error({ err: error, where }, 'a watcher failed')
  return {
    // Which watches how long its own turns take.
    kernel: createKernel({ clock: systemClock, onError, onSource: event => logSource(log, event) }),
    clock: createTurnClock(systemClock),
    random: systemRandom,
    log,
    metrics: createMetrics({ processMetrics: true }),
  }
}

/** The connection has its own lines; a name's failure is for whoever looks closely. */
function logSource(log: Log, { kind, source, error }: SourceEvent): void {
  log.debug({ source, ...(error && { error: error.message }) }, `source ${kind}`)
}
