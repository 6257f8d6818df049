// The kind's series; bounded, because no label holds a path.
import type { Metrics } from '../../runtime/metrics.ts'
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

/** Every open namer's directories in one mode; the gauge adds them up. */
export function countDirectories(metrics: Metrics, count: (mode: WatchMode) => number): () => void {
  let counters = counted.get(metrics)
  if (counters === undefined) {
    counters = new Set()
    counted.set(metrics, counters)
    registerGauges(metrics, counters)
  }
  const members = counters
  members.add(count)
  return () => members.delete(count)
}

type Counters = Set<(mode: WatchMode) => number>

const counted = new WeakMap<Metrics, Counters>()

function registerGauges(metrics: Metrics, counters: Counters): void {
  const sum = (mode: WatchMode) => (): number => counters.values().reduce((total, count) => total + count(mode), 0)
  metrics.gauge({ name: 'namer_fs_watches_open', help: 'Directories watched', collect: sum('watching') })
  metrics.gauge({ name: 'namer_fs_polled', help: 'Directories polled for want of a watch', collect: sum('polling') })
}
