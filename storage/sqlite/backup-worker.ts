// The thread that copies a database and checks the copy. Writes nothing but the copy.
import { dirname } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { type PlainError, plainError } from './plain-error.ts'
import { sealOf } from './rows.ts'
import { applicationId, newestSchema } from './schema.ts'
import { causeCode, sqliteError } from './sqlite-error.ts'

export interface BackupRequest {
  readonly path: string
  /** Empty yet. */
  readonly copy: string
}

export type BackupAnswer =
  | { readonly kind: 'copying'; readonly bytes: number }
  | { readonly kind: 'checking' }
  | { readonly kind: 'checked'; readonly counts: { readonly namespaces: number; readonly versions: number } }
  | { readonly kind: 'failed'; readonly error: PlainError }

/** A checkpoint may hold the file for a moment. */
const busyMs = 10_000

type Tell = (answer: BackupAnswer) => void

function run({ path, copy }: BackupRequest, tell: Tell): void {
  try {
    copyDatabase(path, copy, tell)
    tell({ kind: 'checking' })
    tell({ kind: 'checked', counts: checkCopy(copy) })
  } catch (error) {
    tell({ kind: 'failed', error: plainError(error) })
  }
}

/** One read transaction from begin to end: writers go on beside it, and what they write meanwhile is not in the copy. */
function copyDatabase(path: string, copy: string, tell: Tell): void {
  const db = openToRead(path)
  try {
    if (db.pragma('application_id', { simple: true }) !== applicationId)
      throw new NamingError('store-corrupt', `The database ${path} is none of Nameplane. Name the server's own file.`)
    const bytes = Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }))
    tell({ kind: 'copying', bytes })
    db.prepare('VACUUM INTO ?').run(copy)
  } catch (error) {
    if (error instanceof NamingError) throw error
    throw /^SQLITE_(FULL|IOERR_WRITE|CANTOPEN)/.test(causeCode(error) ?? '')
      ? cannotWrite(copy, error)
      : sqliteError(path, 'cannot be copied', error)
  } finally {
    db.close()
  }
}

function cannotWrite(copy: string, error: unknown): NamingError {
  const directory = dirname(copy)
  const isFull = causeCode(error)?.startsWith('SQLITE_FULL') === true
  const [why, cure] = isFull
    ? ['its disk has no room', 'Free some, or name a file on another disk.']
    : ['it cannot be written', 'Check its permissions, or name a file elsewhere.']
  return new NamingError(isFull ? 'store-full' : 'store-unavailable', `No backup in ${directory}: ${why}. ${cure}`, {
    cause: error,
  })
}

function openToRead(path: string): Database.Database {
  try {
    return new Database(path, { readonly: true, fileMustExist: true, timeout: busyMs })
  } catch (error) {
    throw sqliteError(path, 'cannot be read', error)
  }
}

/** Throws store-corrupt for whatever a server could not start on, or would serve wrongly. */
function checkCopy(copy: string): { readonly namespaces: number; readonly versions: number } {
  const db = openToRead(copy)
  const refuse = (why: string): NamingError =>
    new NamingError(
      'store-corrupt',
      `The backup was made and is not whole: ${why}. The database is damaged; nothing was kept.`,
    )
  const count = (sql: string): number => Number(db.prepare(sql).pluck().get())
  try {
    const found = db.pragma('integrity_check', { simple: true })
    if (found !== 'ok') throw refuse(String(found))
    const schema = count('SELECT max(version) FROM schema_version')
    if (schema > newestSchema) throw refuse(`its schema, ${schema}, is newer than this program`)
    if (schema === newestSchema) assertSealed(db, refuse)
    return { namespaces: count('SELECT count(*) FROM head'), versions: count('SELECT count(*) FROM version') }
  } finally {
    db.close()
  }
}

/** Every text is the one that was written. */
function assertSealed(db: Database.Database, refuse: (why: string) => NamingError): void {
  const rows = db
    .prepare<
      [],
      { readonly namespace: string; readonly version: number; readonly seal: string; readonly text: string | null }
    >('SELECT namespace, version, seal, text FROM version WHERE seal IS NOT NULL')
    .iterate()
  for (const { namespace, version, seal, text } of rows)
    if (sealOf(text ?? undefined) !== seal) throw refuse(`version ${version} of '${namespace}' is not what was written`)
}

const port = parentPort
if (port !== null) run(workerData, answer => port.postMessage(answer))
