// What the SQLite store counts. Labels are error codes only.
import { statSync } from 'node:fs'
import type { Metrics } from '../../runtime/metrics.ts'

/** `outcome` is `ok` or an error's code; `seconds` from the request to its answer. */
export interface SqliteMetrics {
  written(outcome: string, seconds: number): void
  committed(): void
  waited(): void
}

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

export function createSqliteMetrics(metrics: Metrics, path: string): SqliteMetrics {
  const writes = metrics.counter({
    name: 'nameplane_storage_writes_total',
    help: 'Writes answered, by outcome.',
    labels: ['outcome'],
  })
  const commits = metrics.counter({
    name: 'nameplane_storage_commits_total',
    help: 'Groups of writes put on the disk together.',
  })
  const waits = metrics.counter({
    name: 'nameplane_storage_lock_waits_total',
    help: "Times a group waited for another process's lock.",
  })
  const seconds = metrics.histogram({
    name: 'nameplane_storage_write_seconds',
    help: 'Time from a write request to its durable answer.',
    buckets,
  })
  metrics.gauge({
    name: 'nameplane_storage_wal_bytes',
    help: 'Size of the write-ahead log.',
    collect: () => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
  })
  return {
    written: (outcome, took) => {
      writes.inc({ outcome })
      seconds.observe(took)
    },
    committed: () => commits.inc(),
    waited: () => waits.inc(),
  }
}
