// What SQLite and the file system report, as the store's errors: one line with the path, the reason, the cure.
// Knows codes only, no connection.
import { dirname } from 'node:path'
import { type ErrorCode, NamingError } from '../../naming/errors.ts'

interface Reason {
  readonly code: ErrorCode
  readonly reason: string
  readonly cure: string
}

const reason = (code: ErrorCode, text: string, cure: string): Reason => ({ code, reason: text, cure })

const full = reason('store-full', 'the disk has no room', 'Free some space; nothing else is needed.')
const noAccess = (path: string): Reason =>
  reason(
    'store-unavailable',
    'permission denied',
    `Give this user read and write access to it and to ${dirname(path)}.`,
  )
const readOnly = (path: string): Reason =>
  reason('store-unavailable', 'the file or its directory is read-only', `Make ${dirname(path)} writable.`)
const notADatabase = reason(
  'store-corrupt',
  'it is not a SQLite database, or is damaged',
  'Move it away, or restore a backup.',
)
const locked = reason('store-busy', 'another process has locked it', 'End that process, or wait until it is done.')

/** By the code of an error of `node:fs` or better-sqlite3; the longest prefix wins. */
const reasons: Readonly<Record<string, (path: string) => Reason>> = {
  EACCES: noAccess,
  EPERM: noAccess,
  EROFS: readOnly,
  ENOSPC: () => full,
  EDQUOT: () => full,
  EISDIR: () => reason('store-unavailable', 'it is a directory', 'Name a file in it.'),
  ENOTDIR: () => reason('store-unavailable', 'a part of the path is not a directory', 'Correct the path.'),
  EEXIST: () => reason('store-unavailable', 'a part of the path is not a directory', 'Correct the path.'),
  ENAMETOOLONG: () => reason('store-unavailable', 'the name is too long', 'Choose a shorter path.'),
  ELOOP: () => reason('store-unavailable', 'its symbolic links run in a circle', 'Correct the links.'),
  SQLITE_FULL: () => full,
  SQLITE_IOERR_SHMSIZE: () => full,
  SQLITE_BUSY: () => locked,
  SQLITE_LOCKED: () => locked,
  SQLITE_PROTOCOL: () => locked,
  SQLITE_NOTADB: () => notADatabase,
  SQLITE_CORRUPT: () => notADatabase,
  SQLITE_READONLY: readOnly,
  SQLITE_PERM: noAccess,
  SQLITE_CANTOPEN: () => reason('store-unavailable', 'it cannot be opened', 'Check the path and its permissions.'),
  SQLITE_IOERR: () =>
    reason('store-unavailable', 'reading or writing the disk failed', 'Check the disk; the kernel log says more.'),
}

/** The code of an error of better-sqlite3 or node:fs; undefined for any other. */
export function causeCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code
}

/** Whether another connection's lock is all that stood in the way. */
export function isBusy(error: unknown): boolean {
  return NamingError.from(error).code === 'store-busy' || /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(causeCode(error) ?? '')
}

/** `failed` says what could not be done, such as "cannot be opened". Errors of ours keep their code. */
export function sqliteError(path: string, failed: string, error: unknown): NamingError {
  const found = error instanceof NamingError ? ownReason(error) : lookUp(path, error)
  return new NamingError(found.code, `The database ${path} ${failed}: ${found.reason}. ${found.cure}`, {
    cause: error,
    detail: { path, ...(error instanceof NamingError && error.detail) },
  })
}

function ownReason(error: NamingError): Reason {
  const cure =
    error.detail.schema === undefined ? 'Name another file, or move this one away.' : 'Start that version instead.'
  return reason(error.code, error.message, cure)
}

function lookUp(path: string, error: unknown): Reason {
  const code = causeCode(error) ?? ''
  const key = Object.keys(reasons)
    .filter(prefix => code.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
  const make = key === undefined ? undefined : reasons[key]
  if (make !== undefined) return make(path)
  const text = error instanceof Error ? error.message : String(error)
  return reason(
    code === '' ? 'internal' : 'store-unavailable',
    text.replaceAll(/\s+/g, ' '),
    'Check the path and the disk.',
  )
}
