// A copy of a database file that servers may be writing to: one state that was, checked, and under its name only when it is
// whole and on the disk. Knows nothing of stores.
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { NamingError } from '../../naming/errors.ts'
import type { BackupReport, BackupTarget } from '../../runtime/kind.ts'
import { systemClock } from '../../watch/clock.ts'
import type { BackupAnswer, BackupRequest } from './backup-worker.ts'
import { errorFromPlain } from './plain-error.ts'
import { causeCode, sqliteError } from './sqlite-error.ts'

const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './backup-worker.ts' : './backup-worker.js',
  import.meta.url,
)
const progressMs = 250

/**
 * Rejects with one line that names the cause and the cure; whatever happens, no file is left that is not a whole backup.
 * What was acknowledged before the call is in it. A new file is for its owner alone; one that is replaced leaves its mode.
 */
export async function backupSqlite(path: string, target: BackupTarget): Promise<BackupReport> {
  const { file, isForced } = target
  refuseTarget(path, file, isForced)
  const copy = join(dirname(resolve(file)), `.${basename(file)}.${process.pid}.partial`)
  const remove = (): void => {
    for (const name of [copy, `${copy}-journal`]) rmSync(name, { force: true })
  }
  remove()
  const stopWatching = atTheEnd(remove)
  try {
    closeSync(openSync(copy, 'wx', 0o600))
    const counts = await copyAndCheck(path, copy, target)
    const { size } = statSync(copy)
    const replaced = statSync(file, { throwIfNoEntry: false })
    if (replaced !== undefined) chmodSync(copy, replaced.mode & 0o777)
    putInPlace(copy, file, isForced)
    return { ...counts, bytes: size }
  } catch (error) {
    throw error instanceof NamingError ? error : sqliteError(file, 'cannot be written', error)
  } finally {
    remove()
    stopWatching()
  }
}

/** Also when a signal ends the process, which ends as it would have: SQLite, in its thread, hears of none. */
function atTheEnd(remove: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const end = (signal: NodeJS.Signals): void => {
    stop()
    remove()
    process.kill(process.pid, signal)
  }
  const stop = (): void => {
    process.removeListener('exit', remove)
    for (const signal of signals) process.removeListener(signal, end)
  }
  process.once('exit', remove)
  for (const signal of signals) process.once(signal, end)
  return stop
}

function refuseTarget(path: string, file: string, isForced: boolean): void {
  const refuse = (code: 'bad-request' | 'store-unavailable', message: string): NamingError =>
    new NamingError(code, message, { detail: { path, file } })
  if (!existsSync(path))
    throw refuse(
      'store-unavailable',
      `There is no database ${path}. Name the server's own file, or run this where it runs.`,
    )
  const directory = dirname(resolve(file))
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw refuse('bad-request', `There is no directory ${directory}. Make it, or name another file.`)
  const present = statSync(file, { throwIfNoEntry: false })
  if (present === undefined) return
  if (present.isDirectory()) throw refuse('bad-request', `${file} is a directory. Name a file in it.`)
  if (realpathSync(file) === realpathSync(path))
    throw refuse('bad-request', `${file} is the database itself. Name another file.`)
  if (!isForced) throw refuse('bad-request', `${file} exists already. Name another file, or replace it with --force.`)
}

/** In a thread of its own: SQLite copies and checks without a break, and progress is to be told meanwhile. */
async function copyAndCheck(
  path: string,
  copy: string,
  { onProgress }: BackupTarget,
): Promise<Omit<BackupReport, 'bytes'>> {
  const request: BackupRequest = { path, copy }
  const worker = new Worker(workerUrl, { workerData: request })
  let expectedBytes = 0
  const tell = (): void => {
    const size = statSync(copy, { throwIfNoEntry: false })?.size ?? 0
    if (expectedBytes > 0) onProgress(Math.min(1, size / expectedBytes), 'copied')
    stopTelling = systemClock.after(progressMs, tell)
  }
  let stopTelling = systemClock.after(progressMs, tell)
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (answer: BackupAnswer) => {
        if (answer.kind === 'copying') expectedBytes = answer.bytes
        else if (answer.kind === 'checking') expectedBytes = 0
        else if (answer.kind === 'checked') resolve(answer.counts)
        else reject(errorFromPlain(answer.error))
        if (answer.kind === 'checking') onProgress(0, 'checked')
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(new NamingError('internal', 'The thread that copies ended before it was done.')))
    })
  } finally {
    stopTelling()
    await worker.terminate()
  }
}

/** The file is on the disk before it has its name, and its name before this returns. */
function putInPlace(copy: string, file: string, isForced: boolean): void {
  sync(copy)
  if (isForced || !linkedTo(copy, file)) renameSync(copy, file)
  sync(dirname(resolve(file)))
}

/** A link fails where a file has come in between, and a rename would replace it. False where there are no links. */
function linkedTo(copy: string, file: string): boolean {
  try {
    linkSync(copy, file)
    return true
  } catch (error) {
    if (causeCode(error) === 'EEXIST' || existsSync(file))
      throw new NamingError('bad-request', `${file} has come into being meanwhile. Name another file.`, {
        cause: error,
      })
    return false
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
