// What every store counts of its writes. Labels are error codes only.
import { NamingError } from '../naming/errors.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Clock } from '../watch/clock.ts'

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Counts a write and the time to its answer, whatever it is, and passes the answer on. */
export type MeasureWrite = <T>(write: () => Promise<T>) => Promise<T>

export function createWriteMetrics(metrics: Metrics, clock: Clock): MeasureWrite {
  const writes = metrics.counter({
    name: 'nameplane_storage_writes_total',
    help: 'Writes answered, by outcome.',
    labels: ['outcome'],
  })
  const seconds = metrics.histogram({
    name: 'nameplane_storage_write_seconds',
    help: 'Time from a write request to its durable answer.',
    buckets,
  })
  return async write => {
    const startedAt = clock.monotonic()
    let outcome = 'ok'
    try {
      return await write()
    } catch (error) {
      outcome = NamingError.from(error).code
      throw error
    } finally {
      writes.inc({ outcome })
      seconds.observe((clock.monotonic() - startedAt) / 1000)
    }
  }
}
