// The snapshot's directory: a file for each head, one for the listing, each replaced as a whole. Knows no store.
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result } from '../../naming/result.ts'
import type { Log } from '../../runtime/log.ts'
import { decodeHead, decodeListing, encodeSnapshot, type SavedHead, type SavedListing } from './snapshot-file.ts'

const listingFile = 'namespaces.json'
const headFile = /^[0-9a-f]{64}\.json$/
const temporaryEnd = '.new'
const readsAtOnce = 8

/** A head's file: which version it holds, and when its namespace was last used, in ms since 1970. */
export interface KeptHead {
  readonly namespace: string
  readonly version: number
  readonly usedAt: number
}

export interface SnapshotDirectoryOptions {
  readonly path: string
  /** Which store it is of; files of another one are left alone. */
  readonly origin: string
  readonly log: Log
}

/** Reads never reject: a file that is broken, foreign or of another store is logged and counts as none. Writes do. */
export class SnapshotDirectory {
  readonly #options: SnapshotDirectoryOptions
  /** Reads wait for each other in these: thousands at once would take all the files that a process may open. */
  readonly #lanes: Promise<unknown>[] = Array.from({ length: readsAtOnce }, () => Promise.resolve())
  #reads = 0

  constructor(options: SnapshotDirectoryOptions) {
    this.#options = options
  }

  get path(): string {
    return this.#options.path
  }

  /** Makes the directory when it is not there. */
  async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
  }

  /** Removes what writes that were cut off have left. Only for who writes here. */
  async tidy(): Promise<void> {
    for (const file of await readdir(this.path))
      if (file.endsWith(temporaryEnd)) await rm(join(this.path, file), { force: true })
  }

  /** The file's time is when the listing was last known to be so. */
  async readListing(): Promise<SavedListing | undefined> {
    const { origin } = this.#options
    const listing = await this.#read(listingFile, text => decodeListing(text, origin))
    if (listing === undefined) return undefined
    const facts = await stat(join(this.path, listingFile)).catch(() => undefined)
    return facts === undefined ? listing : { ...listing, savedAt: Math.max(listing.savedAt, facts.mtimeMs) }
  }

  async readHead(namespace: string): Promise<SavedHead | undefined> {
    return await this.#readHeadFile(fileOf(namespace))
  }

  /** Every head there is, read one after the other. */
  async *kept(): AsyncIterable<KeptHead> {
    for (const file of await readdir(this.path)) {
      if (!headFile.test(file)) continue
      const saved = await this.#readHeadFile(file)
      const facts = await stat(join(this.path, file)).catch(() => undefined)
      if (saved === undefined || facts === undefined) continue
      const { namespace, version } = saved.head
      yield { namespace, version, usedAt: facts.mtimeMs }
    }
  }

  async writeListing(listing: SavedListing): Promise<void> {
    await this.#write(listingFile, encodeSnapshot(this.#options.origin, listing), listing.savedAt)
  }

  async writeHead(saved: SavedHead, usedAt: number): Promise<void> {
    await this.#write(fileOf(saved.head.namespace), encodeSnapshot(this.#options.origin, saved), usedAt)
  }

  async removeHead(namespace: string): Promise<void> {
    await rm(join(this.path, fileOf(namespace)), { force: true })
  }

  /** The namespace was in use at this time, in ms since 1970. */
  async markUsed(namespace: string, at: number): Promise<void> {
    await utimes(join(this.path, fileOf(namespace)), at / 1000, at / 1000)
  }

  /** The listing was so at this time still. */
  async confirmListing(at: number): Promise<void> {
    await utimes(join(this.path, listingFile), at / 1000, at / 1000)
  }

  #readHeadFile(file: string): Promise<SavedHead | undefined> {
    return this.#read(file, text => {
      const saved = decodeHead(text, this.#options.origin)
      if (!saved.ok || fileOf(saved.value.head.namespace) === file) return saved
      return failure(new NamingError('store-corrupt', `it holds the namespace '${saved.value.head.namespace}'`))
    })
  }

  #read<T>(file: string, decode: (text: string) => Result<T>): Promise<T | undefined> {
    const lane = this.#reads++ % readsAtOnce
    const read = (this.#lanes[lane] ?? Promise.resolve()).then(() => this.#readNow(file, decode))
    this.#lanes[lane] = read
    return read
  }

  async #readNow<T>(file: string, decode: (text: string) => Result<T>): Promise<T | undefined> {
    const path = join(this.path, file)
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (!isMissing(error)) this.#options.log.warn({ err: error, file: path }, 'a snapshot file cannot be read')
      return undefined
    })
    if (text === undefined) return undefined
    const decoded = decode(text)
    if (decoded.ok) return decoded.value
    this.#options.log.warn({ file: path }, `a snapshot file is ignored: ${decoded.error.message}`)
    return undefined
  }

  /** On disk before it takes the place of the old one, so that a power cut leaves one of the two. */
  async #write(file: string, text: string, time: number): Promise<void> {
    const path = join(this.path, file)
    const temporary = `${path}${temporaryEnd}`
    try {
      const handle = await open(temporary, 'w', 0o600)
      try {
        await handle.writeFile(text)
        await handle.utimes(time / 1000, time / 1000)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
  }
}

/** Names may be longer than a file's, and differ in case only. */
function fileOf(namespace: string): string {
  return `${createHash('sha256').update(namespace).digest('hex')}.json`
}

/** Of a directory that is none the upkeep tells. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
