// The snapshot's directory: a file for each head, one for the listing, each replaced as a whole. Knows no store.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result } from '../../naming/result.ts'
import type { Log } from '../../runtime/log.ts'
import type { Version } from '../store.ts'
import { decodeHead, decodeListing, encodeSnapshot, type SavedHead, type SavedListing } from './snapshot-file.ts'

const listingFile = 'namespaces.json'
const headFile = /^[0-9a-f]{64}\.json$/
const temporaryEnd = '.new'
const readsAtOnce = 8
/** Files that are ignored are named in the log, but not thousands of them. */
const loudComplaints = 20

/** A head's file: which version it holds, of when, and when its namespace was last used; times in ms since 1970. */
export interface KeptHead {
  readonly namespace: string
  readonly version: number
  /** A number alone does not say it: a store that was restored from a copy may give it to another text. */
  readonly time: number
  readonly usedAt: number
}

export interface SnapshotDirectoryOptions {
  readonly path: string
  /** Which store it is of; files of another one are left alone. */
  readonly origin: string
  readonly log: Log
}

interface FileContent {
  readonly text: string
  /** In ms since 1970. */
  readonly time: number
  readonly isNew: boolean
}

/** Reads never reject: a file that is broken, foreign or of another store is logged and counts as none. Writes do. */
export class SnapshotDirectory {
  readonly #options: SnapshotDirectoryOptions
  /** Reads wait for each other in these: thousands at once would take all the files that a process may open. */
  readonly #lanes: Promise<unknown>[] = Array.from({ length: readsAtOnce }, () => Promise.resolve())
  /** Of ours alone: what is being written is not tidied away, and two that believe the directory theirs write no file together. */
  readonly #temporaryEnd = `.${randomUUID()}${temporaryEnd}`
  #reads = 0
  #complaints = 0

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
      if (file.endsWith(temporaryEnd) && !file.endsWith(this.#temporaryEnd))
        await rm(join(this.path, file), { force: true })
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
      yield keptHeadOf(saved.head, facts.mtimeMs)
    }
  }

  async writeListing(listing: SavedListing): Promise<void> {
    const text = encodeSnapshot(this.#options.origin, listing)
    await this.#write(listingFile, { text, time: listing.savedAt, isNew: false })
  }

  /** `isNew`: there is no file of the namespace that is worth anything. */
  async writeHead(saved: SavedHead, { usedAt, isNew }: { usedAt: number; isNew: boolean }): Promise<void> {
    const text = encodeSnapshot(this.#options.origin, saved)
    await this.#write(fileOf(saved.head.namespace), { text, time: usedAt, isNew })
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
      if (!isMissing(error)) this.#complain({ err: error, file: path }, 'a snapshot file cannot be read')
      return undefined
    })
    if (text === undefined) return undefined
    const decoded = decode(text)
    if (decoded.ok) return decoded.value
    this.#complain({ file: path }, `a snapshot file is ignored: ${decoded.error.message}`)
    return undefined
  }

  #complain(facts: object, said: string): void {
    const { log } = this.#options
    if (this.#complaints++ < loudComplaints) log.warn(facts, said)
    else log.debug(facts, said)
  }

  /**
   * On disk before it takes the place of another, so that a power cut leaves one of the two. A new one has nothing to lose
   * and waits for no disk: torn, it is known by its hash, and ten thousand of them would keep a disk busy for half a minute.
   */
  async #write(file: string, { text, time, isNew }: FileContent): Promise<void> {
    const path = join(this.path, file)
    const temporary = `${path}${this.#temporaryEnd}`
    try {
      const handle = await open(temporary, 'w', 0o600)
      try {
        await handle.writeFile(text)
        await handle.utimes(time / 1000, time / 1000)
        if (!isNew) await handle.datasync()
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

/** As its file holds it. */
export function keptHeadOf({ namespace, version, meta }: Version, usedAt: number): KeptHead {
  return { namespace, version, time: meta.time, usedAt }
}

/** Names may be longer than a file's, and differ in case only. */
function fileOf(namespace: string): string {
  return `${createHash('sha256').update(namespace).digest('hex')}.json`
}

/** Of a directory that is none the upkeep tells. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
