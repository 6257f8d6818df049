// Follows all namespaces by two blocking queries, and finds out which text was edited from outside. Two questions tell of
// everything: the head records as they change, and the list of texts, whose index moves with any change of a text. After
// news of either every text is compared with the index that our record gives it; texts are read only where they differ.
import type { ConsulAgent, ConsulAnswer, ConsulQuery } from '../../clients/consul/agent.ts'
import type { Clock, Random } from '../../watch/clock.ts'
import { nextTurn, pause } from '../../watch/pause.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import type { HeadFollower, HeadSighting } from '../shared/shared-backend.ts'
import {
  type HeadList,
  headListFrom,
  indexOf,
  isOlder,
  noHeads,
  noTexts,
  type TextList,
  textListFrom,
} from './head-lists.ts'
import type { Layout } from './layout.ts'
import { type HeadIndexes, indexesIn, sightingOf } from './sighting.ts'
import type { SightingReader } from './sighting-reader.ts'

const backoff = { minMs: 100, maxMs: 5000 }
/** Comparing takes at most a fifth of the time, however many namespaces there are. */
const restPerWork = 4
/** And is done at most so often: each comparison asks the leader. */
const minRestMs = 50
/** However slow Consul is, an edit is not left alone for longer. */
const maxRestMs = 2000
/** A few milliseconds. */
const recordsPerTurn = 1000

export interface HeadFollowOptions {
  readonly agent: Pick<ConsulAgent, 'follow'>
  readonly reader: SightingReader
  readonly layout: Layout
  /** Of every query, such as the datacenter. */
  readonly parameters: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly random: Random
  readonly follower: HeadFollower
  /** What a failure means. */
  readonly errorOf: (error: unknown) => Error
}

/** Follows until the signal aborts. */
export function followHeads(options: HeadFollowOptions, signal: AbortSignal): void {
  new HeadFollow(options, signal).begin()
}

class HeadFollow {
  readonly #options: HeadFollowOptions
  readonly #signal: AbortSignal
  #heads = noHeads
  #texts = noTexts
  /** What each query has said since it failed last. */
  readonly #heard = { heads: false, texts: false }
  /** The follower knows everything, and was told of no failure since. */
  #isWhole = false
  #isRewound = false
  /** Grows with each failure: what was being found out then is not told. */
  #failures = 0
  /** Namespaces that are not as we wrote them, as they were told last. */
  readonly #outside = new Map<string, HeadIndexes>()
  /** Namespaces whose record is gone from the list. */
  readonly #lost = new Set<string>()
  #hasNews = false
  #wake: (() => void) | undefined

  constructor(options: HeadFollowOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
  }

  begin(): void {
    const { agent, layout, parameters, clock, random } = this.#options
    const folder = (prefix: string, more: Readonly<Record<string, string>>): ConsulQuery => ({
      path: keyPath(prefix),
      parameters: { ...parameters, ...more },
      absentIsEmpty: true,
      beginsConsistent: true,
    })
    const heads = folder(layout.heads, { recurse: '' })
    const texts = folder(layout.texts, { keys: '', separator: '/' })
    const failed = (side: 'heads' | 'texts') => (error: Error, retryAt: number) => {
      this.#heard[side] = false
      this.#failed(error, retryAt)
    }
    const ends = [
      agent.follow(heads, {
        changed: answer => this.#headsChanged(answer),
        same: () => this.#said('heads'),
        failed: failed('heads'),
      }),
      agent.follow(texts, {
        changed: answer => this.#textsChanged(textListFrom(answer, layout)),
        same: version => this.#textsChanged({ names: this.#texts.names, index: indexOf(version) }),
        failed: failed('texts'),
      }),
    ]
    const end = (): void => {
      for (const endFollow of ends) endFollow()
    }
    this.#signal.addEventListener('abort', end, { once: true })
    runSourceLoop({
      clock,
      random,
      signal: this.#signal,
      backoff,
      attempt: (signal, succeeded) => this.#attempt(signal, succeeded),
      onError: (error, retryAt) => {
        this.#hasNews = true
        this.#failed(error, retryAt)
      },
    })
  }

  async #headsChanged(answer: ConsulAnswer): Promise<void> {
    const { layout, clock } = this.#options
    const known = this.#heads
    const list = await headListFrom(answer, { layout, known, clock })
    if (this.#signal.aborted) return
    this.#heads = list
    if (isOlder(list, known)) {
      this.#isRewound = true
      this.#isWhole = false
    }
    for (const namespace of known.heads.keys()) if (!list.heads.has(namespace)) this.#lost.add(namespace)
    this.#news('heads')
    if (this.#isWhole) this.#tellWritten(known, list)
  }

  #textsChanged(list: TextList): void {
    const isNews = !this.#heard.texts || list.index !== this.#texts.index || list.names !== this.#texts.names
    this.#texts = list
    if (isNews) this.#news('texts')
    else this.#said('texts')
  }

  /** A record that has changed says what was written, text and all; that it is still so is compared afterwards. */
  #tellWritten(known: HeadList, list: HeadList): void {
    const written: HeadSighting[] = []
    for (const [namespace, { index, record }] of list.heads) {
      if (known.heads.get(namespace)?.index === index) continue
      this.#outside.delete(namespace)
      if (record === undefined) continue
      written.push(sightingOf(namespace, { text: record.deleted ? 0 : index, head: index }, record, index))
    }
    if (written.length > 0) this.#options.follower.changed(written)
  }

  #news(side: 'heads' | 'texts'): void {
    this.#hasNews = true
    this.#said(side)
  }

  #said(side: 'heads' | 'texts'): void {
    this.#heard[side] = true
    if (this.#isWhole) this.#options.follower.contact()
    if (this.#canWork) this.#wake?.()
  }

  get #canWork(): boolean {
    return this.#heard.heads && this.#heard.texts && (this.#hasNews || !this.#isWhole)
  }

  #failed(error: unknown, retryAt: number): void {
    this.#failures++
    this.#isWhole = false
    this.#options.follower.failed(this.#options.errorOf(error), retryAt)
  }

  async #attempt(signal: AbortSignal, succeeded: () => void): Promise<void> {
    const { clock } = this.#options
    if (!this.#canWork) await this.#nextNews(signal)
    if (signal.aborted) return
    const startedAt = clock.monotonic()
    await this.#compare(signal)
    succeeded()
    // Until the follower knows everything, it waits for no rest of ours: the time may have gone into waiting for Consul.
    const restMs = this.#isWhole ? Math.min(maxRestMs, (clock.monotonic() - startedAt) * restPerWork) : 0
    await pause(clock, Math.max(minRestMs, restMs), signal)
  }

  #nextNews(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const end = (): void => {
        this.#wake = undefined
        signal.removeEventListener('abort', end)
        resolve()
      }
      this.#wake = end
      signal.addEventListener('abort', end, { once: true })
    })
  }

  /** Compares every text with what the lists say, and tells what is not as it was told before; after a failure, everything. */
  async #compare(signal: AbortSignal): Promise<void> {
    const { reader, follower } = this.#options
    const failures = this.#failures
    const isWhole = this.#isWhole
    const heads = this.#heads
    const texts = this.#texts
    const order = Math.max(heads.index, texts.index)
    this.#hasNews = false
    if (!isWhole) {
      this.#outside.clear()
      await reader.checkRights()
      await this.#decodeAll(heads)
    }
    const { doubtful, expected } = this.#expectations(heads, texts)
    const differing = await reader.differing(expected)
    const read = await reader.sightings([...doubtful, ...differing], order)
    if (signal.aborted || failures !== this.#failures || isWhole !== this.#isWhole) {
      this.#hasNews = true
      return
    }
    this.#note(read)
    if (isWhole) {
      if (read.length > 0) follower.changed(read)
      return
    }
    const apart = new Set(read.map(({ namespace }) => namespace))
    const others = [...heads.heads].flatMap(([namespace, { index, record }]) =>
      apart.has(namespace) || record === undefined
        ? []
        : sightingOf(namespace, { text: record.deleted ? 0 : index, head: index }, record, order),
    )
    this.#isWhole = true
    follower.reset([...others, ...read.filter(isSomething)], order, this.#isRewound)
    this.#isRewound = false
    this.#tellWritten(heads, this.#heads)
  }

  /** Over several turns of the event loop: later they are decoded as they change. */
  async #decodeAll({ heads }: HeadList): Promise<void> {
    let decoded = 0
    for (const head of heads.values()) {
      if (head.record !== undefined && ++decoded % recordsPerTurn === 0) await nextTurn(this.#options.clock)
    }
  }

  /** Which index each text should have; doubtful are those that should have none and are there, or the other way round. */
  #expectations(
    { heads }: HeadList,
    { names }: TextList,
  ): { readonly doubtful: readonly string[]; readonly expected: ReadonlyMap<string, number> } {
    const doubtful = new Set(this.#lost)
    const expected = new Map<string, number>()
    const expect = (namespace: string, index: number): void => {
      if (index > 0 !== names.has(namespace)) doubtful.add(namespace)
      else if (index > 0) expected.set(namespace, index)
    }
    for (const [namespace, { index, record }] of heads) {
      const outside = this.#outside.get(namespace)
      if (record === undefined && outside === undefined) doubtful.add(namespace)
      else expect(namespace, outside?.text ?? (record?.deleted === true ? 0 : index))
    }
    for (const namespace of names) if (!heads.has(namespace)) expect(namespace, this.#outside.get(namespace)?.text ?? 0)
    for (const namespace of doubtful) expected.delete(namespace)
    return { doubtful: [...doubtful], expected }
  }

  #note(read: readonly HeadSighting[]): void {
    for (const { namespace, isOurs, token } of read) {
      this.#lost.delete(namespace)
      const indexes = indexesIn(token)
      if (isOurs || indexes === undefined) this.#outside.delete(namespace)
      else this.#outside.set(namespace, indexes)
    }
  }
}

/** Where there is neither record nor text, there is nothing to list. */
function isSomething({ record, isOurs }: HeadSighting): boolean {
  return record !== undefined || !isOurs
}

/** Of a folder of keys. */
export function keyPath(prefix: string): string {
  return `/kv/${prefix.split('/').map(encodeURIComponent).join('/')}`
}
