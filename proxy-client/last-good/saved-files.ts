// The files of last good state in one directory: one per process and group of servers, each replaced as a whole.
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../runtime/log.ts'
import { decodeFile, type SavedEntry, type SavedRecords, type SavedState } from './saved-state.ts'

const savedFile = /^[0-9a-f]{16}-[0-9]+\.last-good$/
const unfinishedFile = /^[0-9a-f]{16}-[0-9]+\.last-good\.[0-9a-f-]+\.new$/
/** A larger one is none of ours. */
const maxFileBytes = 64 * 1024 * 1024
/** No write takes so long: the process that began it is gone. */
const abandonedMs = 3_600_000

export interface SavedFilesOptions {
  /** The directory. */
  readonly path: string
  /** Addresses of the servers that the state is of. */
  readonly servers: readonly string[]
  /** Which of the processes of a proxy writes. */
  readonly worker: number
  readonly log: Log
}

/** What the files hold together. */
export interface Loaded {
  /** Of each name and id the newest. */
  readonly entries: readonly SavedEntry[]
  /** Of the newest file, in ms since 1970. */
  readonly savedAt: number
}

export class SavedFiles {
  readonly #options: SavedFilesOptions
  readonly #file: string

  constructor(options: SavedFilesOptions) {
    this.#options = options
    const digest = createHash('sha256').update(options.servers.toSorted().join(' ')).digest('hex')
    this.#file = join(options.path, `${digest.slice(0, 16)}-${options.worker}.last-good`)
  }

  get path(): string {
    return this.#file
  }

  /**
   * What every process of this proxy knew last, of servers of which it still has an address. Never rejects: a file that
   * cannot be read, is damaged or foreign is logged and counts as none. What is older than `maxAgeMs` is left out, and
   * nothing is from later than `now`.
   */
  async load(now: number, maxAgeMs: number): Promise<Loaded> {
    const notBefore = now - maxAgeMs
    const newest = new Map<string, SavedEntry>()
    let savedAt = 0
    for (const file of await this.#list(now)) {
      const state = await this.#read(join(this.#options.path, file), notBefore)
      if (state === undefined || !state.servers.some(server => this.#options.servers.includes(server))) continue
      savedAt = Math.max(savedAt, state.savedAt)
      for (const entry of state.entries) {
        const key = `${entry.kind} ${entry.key}`
        const isNewer = entry.confirmedAt > (newest.get(key)?.confirmedAt ?? 0)
        if (isNewer && entry.confirmedAt >= notBefore) newest.set(key, entry)
      }
    }
    return { entries: Array.from(newest.values(), entry => ownEntry(entry, now)), savedAt: Math.min(savedAt, now) }
  }

  /** On disk before it takes the place of the file before, so that a power cut leaves one of the two. */
  async write(savedAt: number, records: SavedRecords): Promise<void> {
    const temporary = `${this.#file}.${randomUUID()}.new`
    await mkdir(this.#options.path, { recursive: true, mode: 0o700 })
    try {
      const handle = await open(temporary, 'w', 0o600)
      try {
        await writeAll(handle, records.file({ servers: this.#options.servers, savedAt }))
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(temporary, this.#file)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
  }

  async #list(now: number): Promise<readonly string[]> {
    const { path, log } = this.#options
    try {
      const files = await readdir(path)
      for (const file of files) if (unfinishedFile.test(file)) await this.#removeAbandoned(join(path, file), now)
      return files.filter(file => savedFile.test(file))
    } catch (error) {
      if (!isMissing(error)) log.warn({ err: error, path }, 'the directory of the last good state cannot be read')
      return []
    }
  }

  /** What a process that was killed while it wrote has left. */
  async #removeAbandoned(path: string, now: number): Promise<void> {
    try {
      const { mtimeMs } = await lstat(path)
      if (now - mtimeMs > abandonedMs) await rm(path, { force: true })
    } catch (error) {
      this.#options.log.debug({ err: error, path }, 'an unfinished file of last good state could not be removed')
    }
  }

  /** One that nobody has written for so long that all in it is too old goes. */
  async #read(path: string, notBefore: number): Promise<SavedState | undefined> {
    const { log } = this.#options
    try {
      const decoded = decodeFile(await readOurs(path))
      if (!decoded.ok) log.warn({ path }, `a file of last good state is ignored: ${decoded.error.message}`)
      else if (decoded.value.savedAt < notBefore) await rm(path, { force: true })
      else return decoded.value
    } catch (error) {
      log.warn({ err: error, path }, 'a file of last good state cannot be read')
    }
    return undefined
  }
}

/** A disk that fills up takes a part and says nothing of the rest. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  const { bytesWritten } = await handle.writev(parts)
  const bytes = parts.reduce((sum, part) => sum + part.length, 0)
  if (bytesWritten < bytes) throw new Error(`there was room for ${bytesWritten} of ${bytes} bytes`)
}

async function readOurs(path: string): Promise<Buffer> {
  const found = await lstat(path)
  if (!found.isFile()) throw new Error('it is no ordinary file')
  if (found.size > maxFileBytes) throw new Error(`it has ${found.size} bytes, and ours have ${maxFileBytes} at most`)
  return await readFile(path)
}

/** Without the memory of the whole file behind it; a clock that was set back does not make it better than what follows. */
function ownEntry({ kind, key, confirmedAt, content }: SavedEntry, now: number): SavedEntry {
  return { kind, key, confirmedAt: Math.min(confirmedAt, now), content: Buffer.from(content) }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
