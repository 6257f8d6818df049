// Which heads a shared backend has, as far as this process has seen: followed while it is wanted, without texts. The newest
// sighting of a namespace counts, from wherever it comes. Knows neither texts nor what an edit from outside means.
import type { Env } from '../../runtime/env.ts'
import type { Cell, Sink } from '../../watch/cell.ts'
import type { Cancel } from '../../watch/clock.ts'
import { Listing } from '../listing.ts'
import { sameSummaries } from '../same-heads.ts'
import { type NamespaceSummary, storageGroup } from '../store.ts'
import type { HeadRecord, HeadSighting, SharedBackend } from './shared-backend.ts'

export interface HeadsListener {
  /** What is known of these namespaces has changed, or was confirmed. */
  changed(namespaces: Iterable<string>): void
  /** What was known before counts for nothing; a reset follows, after some turns where there is much to take in. */
  rewound(): void
  /** Everything is known anew. */
  reset(): void
  contact(): void
  /** Nothing is heard of the backend until the next reset. */
  failed(error: Error, retryAt: number): void
}

export interface SharedHeadsOptions {
  readonly backend: SharedBackend
  readonly env: Env
  readonly lingerMs: number
  readonly listener: HeadsListener
}

/** A namespace as it was seen last, and the last record there was of it: an outsider may have removed that since. */
interface SeenHead {
  readonly sighting: HeadSighting
  readonly record: HeadRecord | undefined
}

/** What a sighting is beside the one before it of the same namespace; old, too, when there was none and nothing is there. */
type Noted = 'old' | 'same' | 'news'

export interface Fault {
  readonly error: Error
  readonly retryAt: number
}

/** A reading of all heads that is taken in piece by piece; nobody is told before the last one. */
interface Reading {
  readonly heads: readonly HeadSighting[]
  readonly order: number
  /** Of what it has come to so far. */
  readonly listing: Listing
  next: Cancel | undefined
}

/** Heads of a reading that are taken in by one turn: a millisecond or two. */
const headsPerTurn = 500

export class SharedHeads {
  /** Sorted by name; tombstones included. */
  readonly list: Cell<readonly NamespaceSummary[]>
  readonly #options: SharedHeadsOptions
  readonly #seen = new Map<string, SeenHead>()
  #listing = new Listing()
  #listSink: Sink<readonly NamespaceSummary[]> | undefined
  #holders = 0
  #isClosed = false
  #unfollow: (() => void) | undefined
  /** Of the last reset; undefined until there was one. */
  #wholeAt: number | undefined
  /** Under way. */
  #reading: Reading | undefined
  #epoch = 0
  #fault: Fault | undefined

  constructor(options: SharedHeadsOptions) {
    this.#options = options
    const { backend, env, lingerMs } = options
    this.list = env.kernel.source(`${backend.kind} namespaces`, sink => this.#openList(sink), {
      lingerMs,
      group: storageGroup,
    })
  }

  /** Whether anybody holds it. */
  get isFollowed(): boolean {
    return this.#unfollow !== undefined
  }

  /** Changes when what was read before must not be believed any more. */
  get epoch(): number {
    return this.#epoch
  }

  /** Why nothing is heard of the backend; undefined while all is well. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Whether a namespace that was not seen is known not to be. */
  get isCurrent(): boolean {
    return this.#wholeAt !== undefined && this.#fault === undefined
  }

  /** How old what is known is at least, as an order. */
  get wholeAt(): number {
    return this.#wholeAt ?? Number.NEGATIVE_INFINITY
  }

  /** Follows the backend until all who hold it have let go. Harmless when let go twice; nothing after `close`. */
  hold(): () => void {
    if (this.#isClosed) return () => {}
    this.#holders++
    if (this.#holders === 1) this.#follow()
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#holders--
      if (this.#holders === 0) this.#unfollowed()
    }
  }

  /** For good. */
  close(): void {
    this.#isClosed = true
    this.#unfollowed()
  }

  /** Ends the follow and forgets what is known. */
  #unfollowed(): void {
    this.#unfollow?.()
    this.#endReading()
    this.#unfollow = this.#wholeAt = this.#fault = undefined
    this.#forget()
  }

  sighting(namespace: string): HeadSighting | undefined {
    return this.#seen.get(namespace)?.sighting
  }

  /** The last record that there was of it. */
  record(namespace: string): HeadRecord | undefined {
    return this.#seen.get(namespace)?.record
  }

  namespaces(): Iterable<string> {
    return this.#seen.keys()
  }

  /** Takes note of what was read or written in this epoch; an older sighting never undoes a newer one. */
  see(sighting: HeadSighting, epoch: number): void {
    if (this.#unfollow !== undefined && epoch === this.#epoch) this.#take([sighting])
  }

  #follow(): void {
    const { backend, listener } = this.#options
    this.#unfollow = backend.followHeads({
      reset: (heads, order, isRewound) => this.#reset(heads, order, isRewound),
      changed: heads => this.#take(heads),
      contact: () => {
        this.#listSink?.contact()
        listener.contact()
      },
      failed: (error, retryAt) => {
        this.#endReading()
        this.#fault = { error, retryAt }
        this.#listSink?.fail(error, retryAt)
        listener.failed(error, retryAt)
      },
    })
  }

  #reset(heads: readonly HeadSighting[], order: number, isRewound: boolean): void {
    this.#endReading()
    if (isRewound) {
      this.#wholeAt = undefined
      this.#forget()
      this.#options.listener.rewound()
    }
    const reading: Reading = { heads, order, listing: new Listing(), next: undefined }
    this.#reading = reading
    this.#goOn(reading, this.#takeIn(reading))
  }

  #goOn(reading: Reading, pieces: Iterator<void>): void {
    if (pieces.next().done === true) this.#know(reading)
    else reading.next = this.#options.env.clock.defer(() => this.#goOn(reading, pieces))
  }

  /** Yields after each turn's worth. What is seen in between counts like what is in the reading. */
  *#takeIn({ heads, order, listing }: Reading): Generator<void, void> {
    const present = new Set<string>()
    for (const piece of piecesOf(heads)) {
      for (const head of piece) {
        present.add(head.namespace)
        this.#note(head)
      }
      this.#putInto(
        listing,
        piece.map(head => head.namespace),
      )
      if (piece.length === headsPerTurn) yield
    }
    for (const piece of piecesOf([...this.#seen.keys()].filter(namespace => !present.has(namespace)))) {
      for (const namespace of piece) this.#missing(namespace, order)
      this.#putInto(listing, piece)
      if (piece.length === headsPerTurn) yield
    }
  }

  #missing(namespace: string, order: number): void {
    const known = this.#seen.get(namespace)
    if (known === undefined || known.sighting.order > order) return
    if (known.record === undefined) this.#seen.delete(namespace)
    else this.#note(nothingThere(namespace, order))
  }

  /** Keeps the same array when nothing is new, so that a reading which confirms is no change. */
  #know({ order, listing }: Reading): void {
    this.#reading = undefined
    this.#wholeAt = order
    this.#fault = undefined
    if (!sameSummaries(listing.sorted, this.#listing.sorted)) this.#listing = listing
    this.#listSink?.set(this.#listing.sorted)
    this.#options.listener.reset()
  }

  #endReading(): void {
    this.#reading?.next?.()
    this.#reading = undefined
  }

  #take(sightings: readonly HeadSighting[]): void {
    const noted = sightings.map(sighting => this.#note(sighting))
    const about = (what: Noted): string[] =>
      sightings.flatMap(({ namespace }, i) => (noted[i] === what ? namespace : []))
    const news = about('news')
    if (news.length > 0) this.#list(news)
    this.#options.listener.changed([...news, ...about('same')])
  }

  #note(sighting: HeadSighting): Noted {
    const { namespace, record, order, isOurs, token } = sighting
    const known = this.#seen.get(namespace)
    if (known !== undefined && known.sighting.order > order) return 'old'
    const last = record ?? known?.record
    // Names that never were are not kept, for anybody may ask for them; one that was seen is, lest something older counts.
    if (last === undefined && isOurs && known === undefined) return 'old'
    this.#seen.set(namespace, { sighting, record: last })
    return known !== undefined && known.sighting.token === token ? 'same' : 'news'
  }

  #list(namespaces: readonly string[]): void {
    this.#putInto(this.#listing, namespaces)
    if (this.#reading !== undefined) this.#putInto(this.#reading.listing, namespaces)
    if (this.#wholeAt !== undefined) this.#showListing()
  }

  #putInto(listing: Listing, namespaces: readonly string[]): void {
    const present = namespaces.flatMap(namespace => this.#summary(namespace) ?? [])
    listing.put(present)
    if (present.length < namespaces.length)
      listing.remove(new Set(namespaces.filter(namespace => this.#summary(namespace) === undefined)))
  }

  #showListing(): void {
    if (this.#fault === undefined) this.#listSink?.set(this.#listing.sorted)
    else this.#listSink?.setStale(this.#listing.sorted, this.#fault.error)
  }

  #summary(namespace: string): NamespaceSummary | undefined {
    const record = this.#seen.get(namespace)?.record
    if (record === undefined) return undefined
    const { version, deleted, bytes } = record
    const { author, verified, message, time, address } = record.meta
    const summary = { namespace, version, deleted, author, verified, message, time, bytes }
    return address === undefined ? summary : { ...summary, address }
  }

  #openList(sink: Sink<readonly NamespaceSummary[]>): () => void {
    this.#listSink = sink
    const release = this.hold()
    if (this.#wholeAt !== undefined) this.#showListing()
    else if (this.#fault !== undefined) sink.fail(this.#fault.error, this.#fault.retryAt)
    return () => {
      this.#listSink = undefined
      release()
    }
  }

  #forget(): void {
    this.#epoch++
    this.#seen.clear()
    this.#listing = new Listing()
  }
}

function* piecesOf<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += headsPerTurn) yield all.slice(at, at + headsPerTurn)
}

/** A namespace that a whole reading did not find. Its token is equal to no other, so that it is read before it is written over. */
function nothingThere(namespace: string, order: number): HeadSighting {
  return { namespace, isOurs: true, token: `gone ${order}`, order }
}
