// Looks after the snapshot's directory from time to time: whose it is, which files are old, outdated or in nobody's use.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { NamespaceSummary, Version } from '../store.ts'
import type { DirectoryLock } from './directory-lock.ts'
import type { SnapshotDirectory } from './snapshot-directory.ts'
import type { SnapshotWriter } from './snapshot-writer.ts'

/** Well below what the lock outlives its owner by. */
const everyMs = 10_000
const dayMs = 24 * 60 * 60 * 1000
/** A namespace that nobody has used for so long is forgotten, in milliseconds. */
export const keptUnusedMs = 30 * dayMs
/** Heads that are read again in one round. */
const readsPerRound = 50

export interface SnapshotUpkeepOptions {
  readonly directory: SnapshotDirectory
  readonly lock: DirectoryLock
  readonly writer: SnapshotWriter
  readonly clock: Clock
  readonly log: Log
  /** The listing when the store vouches for it now. */
  readonly listing: () => readonly NamespaceSummary[] | undefined
  /** Whether a namespace is followed now, so that its file is written as it changes. */
  readonly isFollowed: (namespace: string) => boolean
  readonly readHead: (namespace: string) => Promise<Version | undefined>
  /** The directory has become ours: what is known now is to be written. */
  readonly onOurs: () => void
}

/** Nothing here rejects. */
export class SnapshotUpkeep {
  readonly #options: SnapshotUpkeepOptions
  #timer: Cancel | undefined
  #running: Promise<void> | undefined
  #isClosed = false
  #trouble: string | undefined

  constructor(options: SnapshotUpkeepOptions) {
    this.#options = options
  }

  /** Resolves once it is known whether the directory is ours. */
  async begin(): Promise<void> {
    await this.#claim()
    this.#schedule()
  }

  /** Gives the directory up, after the round that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.()
    await this.#running
    await this.#options.lock.release()
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#options.clock.after(everyMs, () => {
      this.#running = this.#round().then(() => this.#schedule())
    })
  }

  async #round(): Promise<void> {
    const { lock, writer, log } = this.#options
    const wasOurs = lock.isOurs
    await this.#claim()
    if (!lock.isOurs) return
    if (!wasOurs) this.#options.onOurs()
    try {
      if (!writer.knowsAll) await this.#index()
      await this.#tend()
    } catch (error) {
      log.debug({ err: error }, 'the snapshot could not be looked after')
    }
  }

  async #claim(): Promise<void> {
    const { lock, directory, log } = this.#options
    const trouble = await this.#tryClaim()
    const facts = { path: directory.path }
    if (trouble !== undefined && trouble !== this.#trouble) log.warn(facts, trouble)
    if (lock.isOurs && this.#trouble !== undefined) log.info(facts, 'the snapshot directory is ours now')
    this.#trouble = trouble
  }

  /** Why nothing can be written. */
  async #tryClaim(): Promise<string | undefined> {
    const { lock, directory } = this.#options
    try {
      await directory.prepare()
      const other = await lock.claim()
      if (other === undefined) return undefined
      return `the snapshot directory is in use by ${other}: what this server learns is not saved; give each server a path of its own in storage.snapshot`
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return `the snapshot directory cannot be written (${why}): what this server learns is not saved`
    }
  }

  /** Once, when the directory has become ours. What is known here already is newer than its file. */
  async #index(): Promise<void> {
    const { directory, writer } = this.#options
    await directory.tidy()
    for await (const kept of directory.kept())
      if (!writer.kept.has(kept.namespace)) writer.kept.set(kept.namespace, kept)
    writer.knowsAll = true
  }

  async #tend(): Promise<void> {
    const { directory, writer, clock, isFollowed } = this.#options
    const listing = this.#options.listing()
    if (listing === undefined) return
    await directory.confirmListing(clock.now())
    const summaries = new Map(listing.map(summary => [summary.namespace, summary]))
    let reads = 0
    for (const kept of [...writer.kept.values()]) {
      if (this.#isClosed) return
      const { namespace, version, usedAt } = kept
      if (writer.isPending(namespace)) continue
      const summary = summaries.get(namespace)
      if (isFollowed(namespace)) await this.#markUsed(namespace, usedAt)
      else if (summary === undefined || summary.deleted || clock.now() - usedAt >= keptUnusedMs)
        writer.removeHead(namespace)
      else if (summary.version !== version && reads++ < readsPerRound) await this.#refresh(namespace, usedAt)
    }
  }

  async #markUsed(namespace: string, usedAt: number): Promise<void> {
    const { directory, writer, clock } = this.#options
    const now = clock.now()
    const kept = writer.kept.get(namespace)
    if (kept === undefined || now - usedAt < dayMs) return
    await directory.markUsed(namespace, now)
    writer.kept.set(namespace, { ...kept, usedAt: now })
  }

  async #refresh(namespace: string, usedAt: number): Promise<void> {
    const head = await this.#options.readHead(namespace)
    if (head?.text === undefined) this.#options.writer.removeHead(namespace)
    else this.#options.writer.putHead(head, usedAt)
  }
}
