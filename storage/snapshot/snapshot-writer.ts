// Writes what the store last said to the snapshot's directory: soon, the newest only, one file at a time, never in the way.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { sameVersion } from '../same-heads.ts'
import type { NamespaceSummary, Version } from '../store.ts'
import { type KeptHead, keptHeadOf, type SnapshotDirectory } from './snapshot-directory.ts'

/** From a change to its file, in milliseconds; changes in between are one. */
const settleMs = 200
/** A listing is large and changes with every write: no more often than this. */
const listingMs = 5_000
/** A stop waits for so much of what is unwritten; what is left is older on disk, or missing there. */
const flushMs = 2_000
/** After a write that failed. */
const retryMs = 30_000
/** So many heads in a row cannot be written: then it is the disk, not a file. */
const mostFailures = 3

export interface SnapshotWriterOptions {
  readonly directory: SnapshotDirectory
  readonly clock: Clock
  readonly log: Log
  /** Whether the directory is ours; while it is not, what comes is forgotten. */
  readonly mayWrite: () => boolean
}

/** What a file is to be. Times in ms since 1970. */
export interface PendingHead {
  /** Absent: the file goes. */
  readonly head?: Version
  readonly usedAt: number
  readonly savedAt: number
}

interface PendingListing {
  readonly namespaces: readonly NamespaceSummary[]
  readonly savedAt: number
}

/** Nothing here rejects: a disk that fails is logged once, and tried again. */
export class SnapshotWriter {
  /** What the directory holds, by namespace, as far as is known here. */
  readonly kept = new Map<string, KeptHead>()
  /** Whether that is all. */
  knowsAll = false
  readonly #options: SnapshotWriterOptions
  readonly #heads = new Map<string, PendingHead>()
  #listing: PendingListing | undefined
  /** As the file holds it. */
  #written: readonly NamespaceSummary[] | undefined
  #listingDueAt = 0
  #giveUpAt = Number.POSITIVE_INFINITY
  #timer: Cancel | undefined
  /** When that runs. */
  #timerAt = 0
  #running: Promise<void> | undefined
  #hasFailed = false

  constructor(options: SnapshotWriterOptions) {
    this.#options = options
  }

  /** `usedAt`: when the namespace was last used, in ms since 1970; now when absent. */
  putHead(head: Version, usedAt?: number): void {
    if (!this.#options.mayWrite()) return
    const savedAt = this.#options.clock.now()
    this.#heads.set(head.namespace, { head, savedAt, usedAt: usedAt ?? savedAt })
    this.#schedule(settleMs)
  }

  /** Names that never were are asked for without end: of them nothing is noted. */
  removeHead(namespace: string): void {
    const hasFile = !this.knowsAll || this.kept.has(namespace) || this.#heads.has(namespace)
    if (!hasFile || !this.#options.mayWrite()) return
    const savedAt = this.#options.clock.now()
    this.#heads.set(namespace, { savedAt, usedAt: savedAt })
    this.#schedule(settleMs)
  }

  /** What its file is about to be; undefined when that stays as it is. */
  pending(namespace: string): PendingHead | undefined {
    return this.#heads.get(namespace)
  }

  /** Whether the file holds this listing. */
  hasWritten(namespaces: readonly NamespaceSummary[]): boolean {
    return this.#written === namespaces
  }

  /** The directory was another's, or nobody's: nothing is known of what it holds. */
  beginAnew(): void {
    this.#forget()
    this.kept.clear()
    this.knowsAll = false
    this.#written = undefined
  }

  putListing(namespaces: readonly NamespaceSummary[]): void {
    if (!this.#options.mayWrite()) return
    this.#listing = { namespaces, savedAt: this.#options.clock.now() }
    this.#schedule(this.#untilListingMs())
  }

  /** Writes at once what waits, where it may; resolves when that is done, has failed or takes too long. Nothing is written afterwards. */
  async flush(): Promise<void> {
    this.#giveUpAt = this.#options.clock.monotonic() + flushMs
    await this.#running
    this.#listingDueAt = 0
    this.#begin()
    await this.#running
    this.#timer?.()
    this.#timer = undefined
  }

  /** A head does not wait for the listing's turn; after a failure all wait. */
  #schedule(ms: number): void {
    const { clock } = this.#options
    const at = clock.monotonic() + ms
    if (this.#running !== undefined || (this.#timer !== undefined && (this.#hasFailed || this.#timerAt <= at))) return
    this.#timer?.()
    this.#timerAt = at
    this.#timer = clock.after(ms, () => this.#begin())
  }

  #untilListingMs(): number {
    return Math.max(settleMs, this.#listingDueAt - this.#options.clock.monotonic())
  }

  #begin(): void {
    this.#timer?.()
    this.#timer = undefined
    if (!this.#options.mayWrite()) {
      this.#forget()
      return
    }
    this.#running = this.#run().then(nextMs => {
      this.#running = undefined
      if (nextMs !== undefined) this.#schedule(nextMs)
    })
  }

  /** The directory was lost: what is known is put again when it is ours. */
  #forget(): void {
    this.#heads.clear()
    this.#listing = undefined
  }

  /** Gives when there is more to do, in milliseconds. */
  async #run(): Promise<number | undefined> {
    try {
      const failure = await this.#writeHeads()
      await this.#writeListing()
      if (failure !== undefined) throw failure.error
      this.#wentWell()
    } catch (error) {
      this.#wentWrong(error)
      return retryMs
    }
    if (this.#heads.size > 0) return settleMs
    if (this.#listing === undefined) return undefined
    return this.#untilListingMs()
  }

  /** Gives the first failure. What failed comes last the next time, so that no file keeps the others from the disk. */
  async #writeHeads(): Promise<{ readonly error: unknown } | undefined> {
    let failure: { readonly error: unknown } | undefined
    let inARow = 0
    for (const [namespace, pending] of [...this.#heads]) {
      if (this.#options.clock.monotonic() >= this.#giveUpAt || inARow === mostFailures) break
      try {
        await this.#writeHead(namespace, pending)
        inARow = 0
        if (this.#heads.get(namespace) === pending) this.#heads.delete(namespace)
      } catch (error) {
        failure ??= { error }
        inARow++
        this.#putLast(namespace)
      }
    }
    return failure
  }

  #putLast(namespace: string): void {
    const pending = this.#heads.get(namespace)
    if (pending === undefined) return
    this.#heads.delete(namespace)
    this.#heads.set(namespace, pending)
  }

  async #writeHead(namespace: string, { head, savedAt, usedAt }: PendingHead): Promise<void> {
    const { directory } = this.#options
    if (head === undefined) {
      await directory.removeHead(namespace)
      this.kept.delete(namespace)
      return
    }
    const known = await directory.readHead(namespace)
    if (sameVersion(known?.head, head)) await directory.markUsed(namespace, usedAt)
    else await directory.writeHead({ head, savedAt }, { usedAt, isNew: known === undefined })
    this.kept.set(namespace, keptHeadOf(head, usedAt))
  }

  async #writeListing(): Promise<void> {
    const listing = this.#listing
    if (listing === undefined || this.#options.clock.monotonic() < this.#listingDueAt) return
    await this.#options.directory.writeListing(listing)
    this.#written = listing.namespaces
    this.#listingDueAt = this.#options.clock.monotonic() + listingMs
    if (this.#listing === listing) this.#listing = undefined
  }

  #wentWell(): void {
    if (this.#hasFailed) this.#options.log.info({ path: this.#options.directory.path }, 'the snapshot is written again')
    this.#hasFailed = false
  }

  #wentWrong(error: unknown): void {
    const { log, directory } = this.#options
    const facts = { err: error, path: directory.path }
    if (this.#hasFailed) log.debug(facts, 'the snapshot still cannot be written')
    else log.warn(facts, 'the snapshot cannot be written; a start without the store would serve what it held before')
    this.#hasFailed = true
  }
}
