// Lists a watched collection now and then and compares: what the list has and the watch has not told is drift, and must
// never be. What is merely still on its way does not count.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { pause } from '../../watch/pause.ts'
import type { HeldObjects, Listed, Listing } from './held-objects.ts'
import { isOlder } from './resource-version.ts'
import { WatchBrokenError } from './watch-event.ts'

/** The list that checks the watch comes about so often. */
const checkEveryMs = 300_000
/** What a list has and the watch has not told after so long was missed by the watch. */
const onItsWayMs = 10_000

/** Keys whose listed state (undefined: not listed) is not the one that is held. */
export type Differences<T> = ReadonlyMap<string, Listed<T> | undefined>

export interface WatchCheckOptions<T> {
  readonly held: HeldObjects<T>
  readonly clock: Clock
  readonly random: Random
  readonly list: (signal: AbortSignal) => Promise<Listing<T>>
  /** The watch is as it should be. */
  readonly onSame: () => void
  /** The watch has missed these. */
  readonly onMissed: (missed: Differences<T>, listing: Listing<T>) => void
  /** The check failed in itself, or with a WatchBrokenError: the server is not the one that is watched. */
  readonly onError: (error: unknown) => void
}

export class WatchCheck<T> {
  readonly #options: WatchCheckOptions<T>
  #dueAt = 0
  /** Keys of events, while a list is compared. */
  #touched: Set<string> | undefined

  constructor(options: WatchCheckOptions<T>) {
    this.#options = options
  }

  /** All was listed just now: the next check is due after the whole time. */
  listed(): void {
    const { clock, random } = this.#options
    this.#dueAt = clock.monotonic() + checkEveryMs * (0.9 + 0.2 * random())
  }

  /** An event came for this key. */
  touched(key: string): void {
    this.#touched?.add(key)
  }

  /** Checks whenever it is due, until cancelled; what is under way then finds nothing. */
  begin(): Cancel {
    const { clock } = this.#options
    const ending = new AbortController()
    const next = (): Cancel =>
      clock.after(Math.max(0, this.#dueAt - clock.monotonic()), () => {
        void this.#check(ending.signal)
        this.listed()
        cancelNext = next()
      })
    let cancelNext = next()
    return () => {
      cancelNext()
      ending.abort()
    }
  }

  /** Never rejects. */
  async #check(signal: AbortSignal): Promise<void> {
    this.#touched = new Set()
    try {
      await this.#compare(this.#touched, signal)
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error)
    } finally {
      this.#touched = undefined
    }
  }

  async #compare(touched: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { held, list, onSame, onMissed } = this.#options
    const seen = held.version ?? ''
    const listing = await list(signal)
    if (isOlder(listing.version, seen))
      throw new WatchBrokenError(`the server lists as of ${listing.version}, after ${seen}`)
    if (differencesOf(listing, held, touched).size > 0) await pause(this.#options.clock, onItsWayMs, signal)
    signal.throwIfAborted()
    const missed = differencesOf(listing, held, touched)
    if (missed.size === 0) onSame()
    else onMissed(missed, listing)
  }
}

/** What differs although no event has touched it since the list was asked for; what is held newer does not count. */
function differencesOf<T>(listing: Listing<T>, held: HeldObjects<T>, touched: ReadonlySet<string>): Differences<T> {
  const differences = new Map<string, Listed<T> | undefined>()
  for (const [key, listed] of listing.objects) {
    const version = held.versionOf(key)
    if (touched.has(key) || version === listed.version) continue
    if (version === undefined || !isOlder(listed.version, version)) differences.set(key, listed)
  }
  for (const key of held.objects.keys()) {
    if (touched.has(key) || listing.objects.has(key)) continue
    if (!isOlder(listing.version, held.versionOf(key) ?? '')) differences.set(key, undefined)
  }
  return differences
}
