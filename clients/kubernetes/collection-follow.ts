// Lists a collection, then watches it from there, for ever; lists anew whenever the watch can no longer be trusted.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { RefusedError } from './answer.ts'
import type { Collection, CollectionFollower } from './cluster.ts'
import { DeadlineError } from './deadline.ts'
import { FollowerNews } from './follower-news.ts'
import { HeldObjects, type Listing } from './held-objects.ts'
import { LineSplitter } from './line-splitter.ts'
import { createPageSize, listCollection, selectors } from './list-collection.ts'
import type { Answer, Requests } from './requests.ts'
import { isOlder } from './resource-version.ts'
import type { TurnBudget } from './turn-budget.ts'
import { type Differences, WatchCheck } from './watch-check.ts'
import { WatchEnding } from './watch-ending.ts'
import { decodeWatchEvent, WatchBrokenError, type WatchEvent } from './watch-event.ts'

const backoff = { minMs: 200, maxMs: 5_000 }
interface WatchSpan {
  /** The server ends a watch after a time drawn from these, in seconds. */
  readonly least: number
  readonly most: number
  /** So long after the drawn time a watch may be silent. Holds for the head too, which a proxy may keep back until there is data. */
  readonly idleMs: (seconds: number) => number
}

/** The connections notice dead paths, so a silence only has to be longer than between two bookmarks: about a minute. */
const checkedSpan: WatchSpan = { least: 240, most: 300, idleMs: () => 90_000 }
/** Nothing but the end of a quiet watch shows that its path is alive; without it the path is dead. At most 14 s. */
const uncheckedSpan: WatchSpan = { least: 8, most: 11, idleMs: seconds => (seconds + 3) * 1000 }
/** A watch that lived so long has done well, however it ended. */
const steadyMs = 5_000
/** So many watches in a row may end before that and be opened again at once; the next one backs off. */
const quickEnds = 3
/** An opened watch has recovered from a failure with its first event, or after so long without an error. */
const recoveredAfterMs = 1_000
/** Refusals that may be meant for the version from which to watch. */
const versionRefusals: ReadonlySet<number> = new Set([400, 410, 422, 504])
/** A list older than what is held is asked for again for so long: then the server's past is taken for its present. */
const olderForMs = 30_000

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
  readonly #news: FollowerNews<T>
  readonly #check: WatchCheck<T>
  readonly #pageSize = createPageSize()
  #ending: WatchEnding | undefined
  #closeLoop: () => void = () => {}
  #mustList = true
  #quickEnds = 0
  #olderSince: number | undefined
  /** The watches are checked until one of them ends otherwise than well. */
  #endChecks: Cancel | undefined
  /** When the watch under way was answered. */
  #watchingSince: number | undefined

  constructor(options: FollowOptions<T>) {
    this.#options = options
    this.#clock = options.requests.clock
    this.#held = new HeldObjects(options.collection)
    this.#news = new FollowerNews(options.follower, this.#held, this.#clock)
    this.#check = new WatchCheck({
      held: this.#held,
      clock: this.#clock,
      random: options.random,
      list: signal => this.#listOnce(signal),
      onSame: () => this.#news.contact(),
      onMissed: (missed, listing) => this.#takeMissed(missed, listing),
      onError: error => {
        if (error instanceof WatchBrokenError) this.#doubt(error)
        else options.onCheckFailed(toError(error))
      },
    })
  }

  get objects(): number {
    return this.#held.objects.size
  }

  start(): void {
    const { random } = this.#options
    this.#closeLoop = runSourceLoop({
      clock: this.#clock,
      random,
      backoff,
      // Drawn, so that watches which were refused together do not come back together.
      askedWaitMs: error => (error instanceof RefusedError ? error.retryAfterMs * (1 + random() / 4) : 0),
      attempt: (signal, succeeded) => this.#attempt(signal, succeeded),
      onError: (error, retryAt) => this.#news.failed(toError(error), retryAt),
    })
  }

  close(): void {
    this.#closeLoop()
    this.#stopChecks()
    this.#news.close()
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
    if (end !== undefined) this.#stopChecks()
    this.#mustList ||= makesDoubtful(end)
    if (end !== undefined && !this.#isQuiet(end)) throw end
    if (++this.#quickEnds > quickEnds) throw end ?? new Error(`${this.#path}: watches end as soon as they begin`)
  }

  /** Ends of a watch that are part of its life: the next attempt comes at once. */
  #isQuiet(end: unknown): boolean {
    if (end instanceof RefusedError) return end.status === 410
    if (this.#watchingSince === undefined) return false
    const mayBeDeadPath = !this.#options.requests.isPathChecked
    return end instanceof WatchBrokenError || (end instanceof DeadlineError && !mayBeDeadPath)
  }

  get #path(): string {
    return this.#options.collection.path
  }

  async #list(signal: AbortSignal): Promise<void> {
    const listing = await this.#listOnce(signal)
    this.#refuseOlder(listing)
    this.#check.listed()
    this.#news.listed(this.#held.replace(listing), listing.receivedAt)
    this.#mustList = false
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
    const { requests, counts, random } = this.#options
    counts.watches++
    const ending = new WatchEnding(signal)
    this.#ending = ending
    const { least, most, idleMs } = requests.isPathChecked ? checkedSpan : uncheckedSpan
    const seconds = least + Math.floor(random() * (most - least + 1))
    const path = this.#watchPath(seconds)
    try {
      await requests.ask({ path, signal: ending.signal, idleMs: idleMs(seconds) }, answer =>
        this.#readWatch(answer, ending),
      )
    } finally {
      ending.abort()
    }
  }

  #watchPath(seconds: number): string {
    const { collection } = this.#options
    const parameters = selectors(collection)
    parameters.set('watch', 'true')
    parameters.set('allowWatchBookmarks', 'true')
    parameters.set('resourceVersion', this.#held.version ?? '')
    parameters.set('timeoutSeconds', String(seconds))
    return `${collection.path}?${parameters}`
  }

  async #readWatch(answer: Answer, ending: WatchEnding): Promise<void> {
    this.#watchingSince = this.#clock.monotonic()
    const cancelRecovery = this.#clock.after(recoveredAfterMs, () => this.#news.recovered())
    this.#endChecks ??= this.#check.begin()
    try {
      await this.#readLines(answer, ending)
    } finally {
      cancelRecovery()
    }
  }

  async #readLines({ body, alive, checkWhole }: Answer, ending: WatchEnding): Promise<void> {
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
    checkWhole()
    if (lines.isWithinLine) throw new WatchBrokenError(`${this.#path}: the watch broke off within a line`)
  }

  #take(event: WatchEvent, receivedAt: number, ending: WatchEnding): void {
    const version = event.kind === 'bookmark' ? event.version : event.raw.version
    if (event.kind === 'bookmark') this.#refuseOlderBookmark(version)
    else {
      this.#check.touched(event.raw.key)
      const isNews = event.kind === 'put' ? this.#held.put(event.raw) : this.#held.remove(event.raw)
      if (isNews) this.#news.changed(event.raw.key, receivedAt, error => ending.abort(error))
    }
    this.#held.reached(version)
    if (event.kind === 'bookmark') this.#news.contact()
    else this.#news.recovered()
  }

  /** A server whose present lies before what we have seen was set back, or is another one. */
  #refuseOlderBookmark(version: string): void {
    const held = this.#held.version
    if (held !== undefined && isOlder(version, held)) {
      throw new WatchBrokenError(`${this.#path}: the server is at ${version}, and ${held} was seen`)
    }
  }

  /** Takes what the watch has missed, and ends it. */
  #takeMissed(missed: Differences<T>, listing: Listing<T>): void {
    this.#options.counts.drift += missed.size
    for (const [key, listed] of missed) {
      this.#held.set(key, listed)
      this.#news.changed(key, listing.receivedAt, error => this.#doubt(error))
    }
    this.#doubt(new WatchBrokenError(`${this.#path}: the watch did not tell of ${missed.size} changes`))
  }

  /** Ends the watch under way, if there is one, and lists before the next. */
  #doubt(error: unknown): void {
    this.#mustList = true
    this.#ending?.abort(error)
  }

  #stopChecks(): void {
    this.#endChecks?.()
    this.#endChecks = undefined
  }
}

/** A watch that ended well, or was refused before it began, is resumed; after anything else the server must say what is. */
function makesDoubtful(end: unknown): boolean {
  if (end instanceof RefusedError) return versionRefusals.has(end.status)
  return end !== undefined
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
