// Looks after the snapshot's directory from time to time: whose it is, which files are old, outdated or in nobody's use.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { NamespaceSummary, Version } from '../store.ts'
import type { DirectoryLock } from './directory-lock.ts'
import type { KeptHead, SnapshotDirectory } from './snapshot-directory.ts'
import type { SnapshotWriter } from './snapshot-writer.ts'

/** Well below what the lock outlives its owner by. */
const everyMs = 10_000
const dayMs = 24 * 60 * 60 * 1000
/** A namespace that nobody has used for so long is forgotten, in milliseconds. */
const keptUnusedMs = 30 * dayMs
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
  #claiming: Promise<void> | undefined
  /** May take longer than a claim lasts. */
  #tending: Promise<void> | undefined
  #isClosed = false
  #trouble: string | undefined

  constructor(options: SnapshotUpkeepOptions) {
    this.#options = options
  }

  /** Resolves once it is known whether the directory is ours. */
  async begin(): Promise<void> {
    await this.#claim()
    if (this.#options.lock.isOurs) await this.#tidy()
    this.#schedule()
  }

  /** Gives the directory up. What is under way writes nothing more; a store that does not answer is not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.()
    await this.#claiming
    await this.#options.lock.release()
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#options.clock.after(everyMs, () => {
      this.#claiming = this.#round().then(() => this.#schedule())
    })
  }

  async #round(): Promise<void> {
    const { lock, writer } = this.#options
    const wasOurs = lock.isOurs
    const isNew = await this.#claim()
    if (!lock.isOurs || this.#isClosed) return
    if (isNew || !wasOurs) {
      await this.#tidy()
      writer.beginAnew()
      this.#options.onOurs()
    }
    this.#tending ??= this.#lookAfter().then(() => {
      this.#tending = undefined
    })
  }

  async #lookAfter(): Promise<void> {
    const { writer, log } = this.#options
    try {
      if (!writer.knowsAll) await this.#index()
      if (writer.knowsAll) await this.#tend()
    } catch (error) {
      log.debug({ err: error }, 'the snapshot could not be looked after')
    }
  }

  /** Whether it is ours only now. */
  async #claim(): Promise<boolean> {
    const { lock, directory, log } = this.#options
    const { trouble, isNew } = await this.#tryClaim()
    const facts = { path: directory.path }
    if (trouble !== undefined && trouble !== this.#trouble) log.warn(facts, trouble)
    if (lock.isOurs && this.#trouble !== undefined) log.info(facts, 'the snapshot directory is ours now')
    // A claim that took longer than it holds ends no trouble; the next one may.
    this.#trouble = trouble ?? (lock.isOurs ? undefined : this.#trouble)
    return isNew
  }

  /** `trouble`: why nothing can be written. */
  async #tryClaim(): Promise<{ readonly trouble?: string; readonly isNew: boolean }> {
    const { lock, directory } = this.#options
    const notSaved = 'what this server learns is not saved'
    try {
      await directory.prepare()
      const { other, isNew } = await lock.claim()
      if (other === undefined) return { isNew }
      const advice = 'give each server a path of its own in storage.snapshot'
      return { isNew, trouble: `the snapshot directory is in use by ${other}: ${notSaved}; ${advice}` }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { isNew: false, trouble: `the snapshot directory cannot be written (${why}): ${notSaved}` }
    }
  }

  /** Of what servers have left that were killed; at once, for one that is killed again and again must not fill the disk. */
  async #tidy(): Promise<void> {
    const { directory, log } = this.#options
    await directory.tidy().catch((error: unknown) => log.debug({ err: error }, 'the snapshot could not be tidied'))
  }

  /** Once, when the directory has become ours. What is known here already is newer than its file. */
  async #index(): Promise<void> {
    const { directory, writer } = this.#options
    for await (const kept of directory.kept()) {
      if (this.#isClosed) return
      if (!writer.kept.has(kept.namespace)) writer.kept.set(kept.namespace, kept)
    }
    writer.knowsAll = true
  }

  async #tend(): Promise<void> {
    const { directory, writer, clock, isFollowed } = this.#options
    const listing = this.#options.listing()
    if (listing === undefined) return
    // Another one is on its way to the disk, or cannot be written.
    if (writer.hasWritten(listing)) await directory.confirmListing(clock.now())
    const summaries = new Map(listing.map(summary => [summary.namespace, summary]))
    let reads = 0
    for (const kept of [...writer.kept.values()]) {
      if (this.#isClosed) return
      const { namespace, usedAt } = kept
      if (this.#hasMoved(kept)) continue
      const summary = summaries.get(namespace)
      if (isFollowed(namespace)) await this.#markUsed(namespace, usedAt)
      else if (summary === undefined || summary.deleted || clock.now() - usedAt >= keptUnusedMs)
        writer.removeHead(namespace)
      else if (!holds(kept, summary) && reads++ < readsPerRound) await this.#refresh(kept)
    }
  }

  /** Whether somebody else has seen to its file since. */
  #hasMoved(kept: KeptHead): boolean {
    const { writer } = this.#options
    return writer.pending(kept.namespace) !== undefined || writer.kept.get(kept.namespace) !== kept
  }

  async #markUsed(namespace: string, usedAt: number): Promise<void> {
    const { directory, writer, clock } = this.#options
    const now = clock.now()
    const kept = writer.kept.get(namespace)
    if (kept === undefined || now - usedAt < dayMs) return
    await directory.markUsed(namespace, now)
    writer.kept.set(namespace, { ...kept, usedAt: now })
  }

  /** What is followed meanwhile is newer than an answer that was on its way. */
  async #refresh(kept: KeptHead): Promise<void> {
    const { writer, readHead, isFollowed } = this.#options
    const { namespace, usedAt } = kept
    const head = await readHead(namespace)
    if (this.#isClosed || isFollowed(namespace) || this.#hasMoved(kept)) return
    if (head?.text === undefined) writer.removeHead(namespace)
    else writer.putHead(head, usedAt)
  }
}

function holds(kept: KeptHead, summary: NamespaceSummary): boolean {
  return kept.version === summary.version && kept.time === summary.time
}
