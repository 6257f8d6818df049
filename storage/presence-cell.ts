// Who is present in a shared backend, as a cell.
import type { Cell, Kernel } from '../watch/cell.ts'
import type { SharedBackend } from './shared-backend.ts'
import { type PresenceRecord, storageGroup } from './store.ts'

const byId = (a: PresenceRecord, b: PresenceRecord): number => (a.id < b.id ? -1 : 1)

/** A renewal alone is not news. */
export function sameRecords(a: readonly PresenceRecord[], b: readonly PresenceRecord[]): boolean {
  return a.length === b.length && a.every((x, i) => x.id === b[i]?.id && x.data === b[i]?.data)
}

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
