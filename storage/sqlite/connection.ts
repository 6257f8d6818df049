// The two ways to open the database file: the one connection that writes, and one that only reads.
// The write connection proves that a commit survives a power cut before it is handed out.
import { accessSync, closeSync, constants, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { migrate } from './schema.ts'
import { causeCode, sqliteError } from './sqlite-error.ts'

/** How long a statement of the writer waits for another process's lock, in ms; it runs off the main thread. */
const writerBusyMs = 100
/** The log is folded into the database at this many pages of 4 KB, as far as readers let it. */
const checkpointPages = 1000
/** A log that begins anew is cut back to this many bytes; one that has grown larger is made to. */
export const logLimitBytes: number = 16 * 1024 * 1024

/** What the write connection must answer, so that an acknowledged commit is on the disk. */
const durablePragmas: Readonly<Record<string, unknown>> = { journal_mode: 'wal', synchronous: 2, query_only: 0 }

/** Throws store-unavailable unless every pragma has the value that durability needs. */
export function assertDurable(readPragma: (name: string) => unknown): void {
  for (const [name, wanted] of Object.entries(durablePragmas)) {
    const found = readPragma(name)
    if (found !== wanted)
      throw new NamingError(
        'store-unavailable',
        `its commits would not be durable (${name} is ${found}, not ${wanted})`,
      )
  }
}

/** Opens or creates the file, up to date and durable. Throws NamingErrors whose one line names path, reason, cure. The caller closes it. */
export function openWriteConnection(path: string, now: number): Database.Database {
  let db: Database.Database | undefined
  try {
    prepareFile(path)
    db = new Database(path, { timeout: writerBusyMs })
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('fullfsync = ON')
    db.pragma('checkpoint_fullfsync = ON')
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    db.pragma(`journal_size_limit = ${logLimitBytes}`)
    const connection = db
    assertDurable(name => connection.pragma(name, { simple: true }))
    migrate(db, now)
    return db
  } catch (error) {
    db?.close()
    throw sqliteError(path, 'cannot be opened', error)
  }
}

/** Never waits for a lock and cannot write. The file must exist. The caller closes it. */
export function openReadConnection(path: string): Database.Database {
  try {
    return new Database(path, { readonly: true, fileMustExist: true, timeout: 0 })
  } catch (error) {
    throw sqliteError(path, 'cannot be read', error)
  }
}

/** Finds what is wrong with the path while the system still says it plainly; makes missing directories. */
function prepareFile(path: string): void {
  const directory = dirname(resolve(path))
  const created = mkdirSync(directory, { recursive: true })
  if (created !== undefined) syncDirectories(directory, dirname(created))
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' })
  if (found !== undefined) accessSync(path, constants.R_OK | constants.W_OK)
  accessSync(directory, constants.W_OK | constants.X_OK)
  if (found === undefined) makePrivate(path)
}

/** For its owner alone; SQLite gives the log the same mode. A file that is there is not touched: to close it would free its locks. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (causeCode(error) !== 'EEXIST') throw error
  }
}

/** A new directory survives a power cut only when the one above it is on the disk. */
function syncDirectories(from: string, upTo: string): void {
  for (let directory = from; ; directory = dirname(directory)) {
    const handle = openSync(directory, 'r')
    fsyncSync(handle)
    closeSync(handle)
    if (directory === upTo || directory === dirname(directory)) return
  }
}
