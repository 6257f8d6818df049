// Lists a collection, then watches it from there, for ever; lists anew whenever the watch can no longer be trusted.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { RefusedError } from './answer.ts'
import type { Collection, CollectionFollower } from './cluster.ts'
import { differencesOf } from './comparison.ts'
import { DeadlineError } from './deadline.ts'
import { HeldObjects, type Listing } from './held-objects.ts'
import { LineSplitter } from './line-splitter.ts'
import { createPageSize, listCollection, selectors } from './list-collection.ts'
import type { Answer, Requests } from './requests.ts'
import { isOlder } from './resource-version.ts'
import type { TurnBudget } from './turn-budget.ts'
import { decodeWatchEvent, WatchBrokenError, type WatchEvent } from './watch-event.ts'

const backoff = { minMs: 200, maxMs: 5_000 }
/** The server ends a watch after a time drawn from these, in seconds. */
const watchSeconds = { least: 240, most: 300 }
/** Longer than between two bookmarks, which come about once a minute. Dead paths are noticed sooner, by the connections. */
const watchIdleMs = 90_000
/** A watch that lived so long has done well, however it ended. */
const steadyMs = 5_000
/** So many watches in a row may end before that and be opened again at once; the next one backs off. */
const quickEnds = 3
/** An opened watch has recovered from a failure with its first event, or after so long without an error. */
const recoveredAfterMs = 1_000
/** A list older than what is held is asked for again for so long: then the server's past is taken for its present. */
const olderForMs = 30_000
/** The list that checks the watch comes about so often. */
const compareEveryMs = 300_000
/** What a list has and the watch has not told after so long was missed by the watch. */
const onItsWayMs = 10_000

/** Counts that the follows of a cluster share. */
export interface FollowCounts {
  lists: number
  watches: number
  drift: number
}

export interface FollowOptions<T> {
  readonly collection: Collection<T>
  readonly follower: CollectionFollower<T>
  readonly requests: Requests
  readonly budget: TurnBudget
  readonly counts: FollowCounts
  readonly random: Random
  /** The check of a watch failed in itself; the watch goes on, and the check comes again. */
  readonly onCheckFailed: (error: Error) => void
}

/** Begins with `start`, ends with `close`. */
export class CollectionFollow<T> {
  readonly #options: FollowOptions<T>
  readonly #clock: Clock
  readonly #held: HeldObjects<T>
  readonly #pageSize = createPageSize()
  readonly #dirty = new Set<string>()
  #dirtySince = 0
  #closeLoop: () => void = () => {}
  #cancelTell: Cancel | undefined
  #mustList = true
  #mustTellAll = true
  #isFailing = false
  #quickEnds = 0
  #olderSince: number | undefined
  /** When the watch under way was answered. */
  #watchingSince: number | undefined
  /** Keys of events, while a list is compared. */
  #touched: Set<string> | undefined
  #compareAt = 0
  #isOpen = true

  constructor(options: FollowOptions<T>) {
    this.#options = options
    this.#clock = options.requests.clock
    this.#held = new HeldObjects(options.collection)
  }

  get objects(): number {
    return this.#held.objects.size
  }

  start(): void {
    const { random, follower } = this.#options
    this.#closeLoop = runSourceLoop({
      clock: this.#clock,
      random,
      backoff,
      // Drawn, so that watches which were refused together do not come back together.
      askedWaitMs: error => (error instanceof RefusedError ? error.retryAfterMs * (1 + random() / 4) : 0),
      attempt: (signal, succeeded) => this.#attempt(signal, succeeded),
      onError: (error, retryAt) => {
        this.#isFailing = true
        follower.failed(toError(error), retryAt)
      },
    })
  }

  close(): void {
    this.#isOpen = false
    this.#closeLoop()
    this.#cancelTell?.()
  }

  async #attempt(signal: AbortSignal, succeeded: () => void): Promise<void> {
    this.#watchingSince = undefined
    let end: unknown
    try {
      if (this.#mustList) await this.#list(signal)
      await this.#watch(signal)
    } catch (error) {
      end = error
    }
    if (signal.aborted) return
    const since = this.#watchingSince
    if (since !== undefined && this.#clock.monotonic() - since >= steadyMs) {
      this.#quickEnds = 0
      succeeded()
    }
    // A watch that ended well is resumed; after anything else the server must say what is.
    this.#mustList ||= end !== undefined
    if (end !== undefined && !this.#isQuiet(end)) throw end
    if (++this.#quickEnds > quickEnds) throw end ?? new Error(`${this.#path}: watches end as soon as they begin`)
  }

  /** Ends of a watch that are part of its life: the next attempt comes at once. */
  #isQuiet(end: unknown): boolean {
    if (end instanceof RefusedError) return end.status === 410
    return this.#watchingSince !== undefined && (end instanceof WatchBrokenError || end instanceof DeadlineError)
  }

  get #path(): string {
    return this.#options.collection.path
  }

  async #list(signal: AbortSignal): Promise<void> {
    const listing = await this.#listOnce(signal)
    this.#refuseOlder(listing)
    this.#mustList = false
    this.#compareLaterAgain()
    const changed = this.#held.replace(listing)
    if (this.#mustTellAll) for (const key of this.#held.objects.keys()) changed.add(key)
    if (this.#dirty.size === 0) this.#dirtySince = listing.receivedAt
    for (const key of changed) this.#dirty.add(key)
    if (this.#mustTellAll || this.#dirty.size > 0) this.#tell()
    else this.#contact()
  }

  async #listOnce(signal: AbortSignal): Promise<Listing<T>> {
    const { collection, requests, counts } = this.#options
    return await listCollection({
      requests,
      collection,
      pageSize: this.#pageSize,
      signal,
      onRequest: () => {
        counts.lists++
      },
    })
  }

  /** Throws for a list older than what is held, until the server has said so for long enough. */
  #refuseOlder({ version }: Listing<T>): void {
    const held = this.#held.version
    if (held === undefined || !isOlder(version, held)) {
      this.#olderSince = undefined
      return
    }
    const now = this.#clock.monotonic()
    this.#olderSince ??= now
    if (now - this.#olderSince < olderForMs) {
      throw new Error(`${this.#path}: the server is behind: it lists as of ${version}, and ${held} was seen`)
    }
    this.#olderSince = undefined
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { requests, counts } = this.#options
    counts.watches++
    const ending = new WatchEnding(signal)
    const path = this.#watchPath()
    try {
      await requests.ask({ path, signal: ending.signal, idleMs: watchIdleMs }, answer =>
        this.#readWatch(answer, ending),
      )
    } finally {
      ending.abort()
    }
  }

  #watchPath(): string {
    const { collection, random } = this.#options
    const { least, most } = watchSeconds
    const parameters = selectors(collection)
    parameters.set('watch', 'true')
    parameters.set('allowWatchBookmarks', 'true')
    parameters.set('resourceVersion', this.#held.version ?? '')
    parameters.set('timeoutSeconds', String(least + Math.floor(random() * (most - least + 1))))
    return `${collection.path}?${parameters}`
  }

  async #readWatch(answer: Answer, ending: WatchEnding): Promise<void> {
    this.#watchingSince = this.#clock.monotonic()
    const cancelRecovery = this.#clock.after(recoveredAfterMs, () => this.#recovered())
    const cancelCompare = this.#compareLater(ending)
    try {
      await this.#readLines(answer, ending)
    } finally {
      cancelRecovery()
      cancelCompare()
    }
  }

  async #readLines({ body, alive }: Answer, ending: WatchEnding): Promise<void> {
    const { budget } = this.#options
    const lines = new LineSplitter()
    for await (const chunk of body as AsyncIterable<Buffer>) {
      alive()
      const receivedAt = this.#clock.monotonic()
      for (const line of lines.push(chunk)) {
        while (budget.isSpent) await budget.nextTurn
        ending.signal.throwIfAborted()
        budget.spend(line.length)
        this.#take(decodeWatchEvent(line), receivedAt, ending)
      }
    }
    if (lines.isWithinLine) throw new WatchBrokenError(`${this.#path}: the watch broke off within a line`)
  }

  #take(event: WatchEvent, receivedAt: number, ending: WatchEnding): void {
    const version = event.kind === 'bookmark' ? event.version : event.raw.version
    if (event.kind === 'bookmark') this.#refuseOlderBookmark(version)
    else {
      this.#touched?.add(event.raw.key)
      const isNews = event.kind === 'put' ? this.#held.put(event.raw) : this.#held.remove(event.raw)
      if (isNews) this.#changed(event.raw.key, receivedAt, ending)
    }
    this.#held.reached(version)
    if (event.kind === 'bookmark') this.#contact()
    else this.#recovered()
  }

  /** A server whose present lies before what we have seen was set back, or is another one. */
  #refuseOlderBookmark(version: string): void {
    const held = this.#held.version
    if (held !== undefined && isOlder(version, held)) {
      throw new WatchBrokenError(`${this.#path}: the server is at ${version}, and ${held} was seen`)
    }
  }

  /** All that changes in one turn is told together, at the next. */
  #changed(key: string, receivedAt: number, ending: WatchEnding): void {
    if (this.#dirty.size === 0) this.#dirtySince = receivedAt
    this.#dirty.add(key)
    this.#cancelTell ??= this.#clock.defer(() => this.#tellOr(ending))
  }

  #tellOr(ending: WatchEnding): void {
    try {
      this.#tell()
    } catch (error) {
      ending.abort(error)
    }
  }

  /** A follower that throws fails the collection, and is told all again after the next list. */
  #tell(): void {
    this.#cancelTell?.()
    this.#cancelTell = undefined
    if (!this.#isOpen) return
    const changed = new Set(this.#dirty)
    this.#dirty.clear()
    const facts = { version: this.#held.version ?? '', receivedAt: this.#dirtySince }
    try {
      this.#options.follower.changed(this.#held.objects, changed, facts)
    } catch (error) {
      this.#mustTellAll = this.#mustList = true
      throw error
    }
    this.#mustTellAll = this.#isFailing = false
  }

  #contact(): void {
    if (!this.#isOpen) return
    this.#isFailing = false
    this.#options.follower.contact(this.#held.version ?? '')
  }

  #recovered(): void {
    if (this.#isFailing) this.#contact()
  }

  /** Checks come by their own time, which runs on over the ends of watches. */
  #compareLater(ending: WatchEnding): Cancel {
    let cancel = this.#clock.after(Math.max(0, this.#compareAt - this.#clock.monotonic()), () => {
      this.#compare(ending).catch((error: unknown) => {
        if (error instanceof WatchBrokenError) ending.abort(error)
        else if (!ending.signal.aborted) this.#options.onCheckFailed(toError(error))
      })
      this.#compareLaterAgain()
      cancel = this.#compareLater(ending)
    })
    return () => cancel()
  }

  #compareLaterAgain(): void {
    this.#compareAt = this.#clock.monotonic() + compareEveryMs * (0.9 + 0.2 * this.#options.random())
  }

  async #compare(ending: WatchEnding): Promise<void> {
    const { signal } = ending
    const touched = new Set<string>()
    this.#touched = touched
    const seen = this.#held.version ?? ''
    const listing = await this.#listOnce(signal)
    if (isOlder(listing.version, seen)) throw new WatchBrokenError(`${this.#path}: the server lists its past`)
    if (differencesOf(listing, this.#held, touched).size > 0) await this.#wait(onItsWayMs, signal)
    signal.throwIfAborted()
    const missed = differencesOf(listing, this.#held, touched)
    this.#touched = undefined
    if (missed.size === 0) {
      this.#contact()
      return
    }
    this.#options.counts.drift += missed.size
    for (const [key, listed] of missed) {
      this.#held.set(key, listed)
      this.#changed(key, listing.receivedAt, ending)
    }
    throw new WatchBrokenError(`${this.#path}: the watch did not tell of ${missed.size} changes`)
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#clock.after(ms, resolve)
      signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }
}

/** Ends one watch for a reason that is found here, or when the whole follow ends. */
class WatchEnding {
  readonly signal: AbortSignal
  readonly #own = new AbortController()

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#own.signal])
  }

  abort(reason?: unknown): void {
    this.#own.abort(reason)
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
