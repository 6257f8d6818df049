// The kind's series; bounded, because no label holds a path.
import type { Metrics } from '../../runtime/metrics.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'
import type { Clock } from '../../watch/clock.ts'
import type { WatchMode } from './directory-watch.ts'

export interface FsMetrics {
  /** Something was published; `toldAt` is the monotonic time of the event that led to it. */
  updated(toldAt?: number): void
  failed(): void
}

const lagBuckets = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/** Registers the series of the kind; two namers of the kind share them. */
export function createFsMetrics(metrics: Metrics, clock: Clock): FsMetrics {
  const updates = metrics.counter({ name: 'namer_fs_updates_total', help: 'Changes of files that were published' })
  const errors = metrics.counter({ name: 'namer_fs_errors_total', help: 'Readings that failed or were malformed' })
  const lag = metrics.histogram({
    name: 'namer_fs_lag_seconds',
    help: 'From the first event of a change to its publication',
    buckets: lagBuckets,
  })
  return {
    updated: toldAt => {
      updates.inc()
      if (toldAt !== undefined) lag.observe((clock.monotonic() - toldAt) / 1000)
    },
    failed: () => errors.inc(),
  }
}

type CountInMode = (mode: WatchMode) => number

/** Adds a namer's directories to the gauges, which add up those of every open namer. */
export const countDirectories = sharedGauges<CountInMode>((metrics, members) => {
  const sum = (mode: WatchMode) => (): number => members.values().reduce((total, count) => total + count(mode), 0)
  metrics.gauge({ name: 'namer_fs_watches_open', help: 'Directories watched', collect: sum('watching') })
  metrics.gauge({ name: 'namer_fs_polled', help: 'Directories polled for want of a watch', collect: sum('polling') })
})
