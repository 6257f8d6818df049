// What the SQLite store counts beside its writes.
import type { Metrics } from '../../runtime/metrics.ts'

export interface SqliteMetrics {
  committed(): void
  waited(): void
}

export function createSqliteMetrics(metrics: Metrics): SqliteMetrics {
  const commits = metrics.counter({
    name: 'nameplane_storage_commits_total',
    help: 'Groups of writes put on the disk together.',
  })
  const waits = metrics.counter({
    name: 'nameplane_storage_lock_waits_total',
    help: "Times a group waited for another process's lock.",
  })
  return {
    committed: () => commits.inc(),
    waited: () => waits.inc(),
  }
}
