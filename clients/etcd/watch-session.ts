// One watch on one connection, from its creation to the first sign that it cannot be relied on. Knows nothing of what went
// before, or of who follows.
import type { ClientDuplexStream, Metadata } from '@grpc/grpc-js'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { EtcdEvent, EtcdMoment, FollowedRange } from './cluster.ts'
import type { Endpoint } from './endpoints.ts'
import { asError, EtcdError, etcdError } from './etcd-error.ts'
import { isBefore } from './moment.ts'
import { asBytes } from './send.ts'
import { decodeWatchAnswer, encodeWatchRequest, type WatchAnswer, type WatchRequest } from './watch-messages.ts'

const askEveryMs = 1000
/** Of the questions, every so many-th goes with a revision that the watch must reach. */
const goalEvery = 2
/** A question for progress is answered within this time, or the watch is dead. */
const silentMs = 4000
/** A revision that was there before it was asked for is reached within this time, or the watch lags. */
const lagMs = 4000

export interface WatchSessionOptions {
  readonly endpoint: Endpoint
  readonly metadata: Metadata
  readonly range: FollowedRange
  /** What is known already; what is told of lies behind it. */
  readonly from: EtcdMoment
  readonly clock: Clock
  /** Where the cluster is now, by a read of its own that sees every write. */
  readonly readMoment: () => Promise<EtcdMoment>
  readonly onEvents: (events: readonly EtcdEvent[]) => void
  readonly onProgress: (at: EtcdMoment) => void
}

type Stream = ClientDuplexStream<Buffer, Buffer>

/** Runs once. */
export class WatchSession {
  readonly #options: WatchSessionOptions
  readonly #stream: Stream
  readonly #ended = Promise.withResolvers<void>()
  #parts: EtcdEvent[] = []
  #askedAt: number | undefined
  #asked = 0
  #reached = 0
  #goal: { readonly revision: number; readonly endsAt: number } | undefined
  #isReading = false
  #cancelTick: Cancel | undefined
  #isOver = false

  constructor(options: WatchSessionOptions) {
    this.#options = options
    const { metadata, endpoint } = options
    metadata.set('hasleader', 'true')
    this.#stream = endpoint.client.makeBidiStreamRequest('/etcdserverpb.Watch/Watch', asBytes, asBytes, metadata)
    this.#stream.on('error', error => this.#fail(error))
  }

  /** Rejects with an EtcdError once the watch cannot be relied on; resolves when `end` was called. */
  async run(): Promise<void> {
    if (this.#isOver) return
    const { range, from, clock } = this.#options
    this.#stream.on('data', (bytes: Buffer) => this.#take(bytes))
    this.#stream.on('end', () => this.#fail(new EtcdError('unreachable', 'etcd ended the watch')))
    // A watch from a revision that is not there yet is asked for its progress in vain.
    this.#send({ kind: 'create', range, startRevision: from.revision })
    this.#askedAt = clock.monotonic()
    this.#goal = { revision: from.revision, endsAt: this.#askedAt + lagMs }
    this.#scheduleTick()
    await this.#ended.promise
  }

  /** Harmless when called twice. Nothing is reported afterwards. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTick?.()
    this.#stream.cancel()
    this.#ended.resolve()
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return
    this.#ended.reject(etcdError(thrown, this.#options.endpoint.address))
    this.end()
  }

  #send(request: WatchRequest): void {
    this.#stream.write(encodeWatchRequest(request))
  }

  #take(bytes: Buffer): void {
    if (this.#isOver) return
    this.#askedAt = undefined
    try {
      this.#handle(decodeWatchAnswer(bytes))
    } catch (error) {
      this.#fail(asError(error))
    }
  }

  #handle(answer: WatchAnswer): void {
    if (answer.kind === 'cancelled') this.#fail(cancelError(answer))
    else if (answer.kind === 'events') this.#join(answer.events, answer.isPart)
    else if (answer.kind === 'progress') this.#progressed(answer.at)
  }

  #join(events: readonly EtcdEvent[], isPart: boolean): void {
    for (const event of events) this.#parts.push(event)
    if (isPart) return
    const whole = this.#parts
    this.#parts = []
    this.#reach(whole.at(-1)?.entry.modRevision ?? 0)
    const news = whole.filter(({ entry }) => entry.modRevision > this.#options.from.revision)
    if (news.length > 0) this.#options.onEvents(news)
  }

  /** A server may be behind the one that was read from; then this says nothing yet. */
  #progressed(at: EtcdMoment): void {
    if (at.clusterId !== this.#options.from.clusterId) throw this.#rewound()
    this.#reach(at.revision)
    if (at.revision >= this.#options.from.revision) this.#options.onProgress(at)
  }

  #reach(revision: number): void {
    this.#reached = Math.max(this.#reached, revision)
    if (this.#goal !== undefined && this.#reached >= this.#goal.revision) this.#goal = undefined
  }

  #rewound(): EtcdError {
    const { address } = this.#options.endpoint
    return new EtcdError('rewound', `etcd at ${address} went back to an older state, or is another cluster`)
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.after(askEveryMs, () => {
      this.#scheduleTick()
      this.#tick()
    })
  }

  #tick(): void {
    const trouble = this.#findTrouble()
    if (trouble !== undefined) this.#fail(new EtcdError('silent', trouble))
    else if (++this.#asked % goalEvery === 0) this.#aim()
    else this.#ask()
  }

  #findTrouble(): string | undefined {
    const now = this.#options.clock.monotonic()
    const { address } = this.#options.endpoint
    if (this.#askedAt !== undefined && now - this.#askedAt >= silentMs)
      return `the watch at etcd ${address} said nothing for ${silentMs} ms`
    if (this.#goal !== undefined && now >= this.#goal.endsAt)
      return `the watch at etcd ${address} stays behind the cluster`
    return undefined
  }

  #ask(): void {
    this.#askedAt ??= this.#options.clock.monotonic()
    this.#send({ kind: 'ask-progress' })
  }

  /** Asks for progress behind a revision that is known to be there. */
  #aim(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#options
      .readMoment()
      .then(at => this.#aimed(at))
      .catch((error: unknown) => this.#fail(error))
  }

  #aimed(at: EtcdMoment): void {
    this.#isReading = false
    if (this.#isOver) return
    if (isBefore(at, this.#options.from)) throw this.#rewound()
    if (at.revision > this.#reached)
      this.#goal ??= { revision: at.revision, endsAt: this.#options.clock.monotonic() + lagMs }
    this.#ask()
  }
}

function cancelError({ isCompacted, reason }: { readonly isCompacted: boolean; readonly reason: string }): EtcdError {
  if (isCompacted) return new EtcdError('compacted', 'the watch lags behind what etcd has compacted; all is read anew')
  return etcdError(new Error(reason === '' ? 'the watch was cancelled' : reason), 'the watch')
}
