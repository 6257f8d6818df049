// Who is present in a shared backend, as a cell.
import type { Cell, Kernel } from '../../watch/cell.ts'
import { sameRecords } from '../same-records.ts'
import { type PresenceRecord, storageGroup } from '../store.ts'
import type { SharedBackend } from './shared-backend.ts'

const byId = (a: PresenceRecord, b: PresenceRecord): number => (a.id < b.id ? -1 : 1)

/** The records, sorted by id; the backend is followed while it is watched. */
export function createPresenceCell(options: {
  readonly backend: SharedBackend
  readonly kernel: Kernel
  readonly lingerMs: number
}): Cell<readonly PresenceRecord[]> {
  const { backend, kernel, lingerMs } = options
  return kernel.source(
    `${backend.kind} presence`,
    sink =>
      backend.followPresence({
        changed: records => sink.set([...records].sort(byId)),
        failed: (error, retryAt) => sink.fail(error, retryAt),
      }),
    { lingerMs, group: storageGroup, equals: sameRecords },
  )
}
