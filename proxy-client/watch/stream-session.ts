// What passes on one stream: what its server has been told, which messages have come, and what they say of what is held. There
// are two for a while when one stream takes another's place; each holds everything by itself. Knows nothing of who looks.
import { decodeUpdate, type ReceivedUpdate } from '../../proto/updates.ts'
import { decodeWatchResponse, type Move, type Piece, PieceCollector } from '../../proto/watch-responses.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { Acknowledgement } from './acknowledgement.ts'
import type { ClientCounts } from './client-counts.ts'
import { HeldDigest } from './held-digest.ts'
import { HeldResources } from './held-resources.ts'
import { type Ack, type HeldContent, RequestOutbox } from './request-outbox.ts'
import type { WatchStream } from './watch-stream.ts'

export interface StreamSessionOptions {
  readonly stream: WatchStream
  readonly client: { readonly id: string; readonly version: string }
  readonly clock: Clock
  readonly random: Random
  readonly counts: ClientCounts
  /** What is held so far, which this stream is to confirm. */
  readonly held: HeldResources
  readonly onMove: (move: Move) => void
}

/** A server that has said nothing at all for so long may have lost what it was told. */
const silenceMs = 5_000
/** A longer time for an acknowledgement is not given. */
const maxAckWithinMs = 1_000

/** An update that comes in pieces may have so many bytes in all. */
const maxPiecesBytes = 64 * 1024 * 1024

export class StreamSession {
  readonly stream: WatchStream
  readonly held: HeldResources
  readonly #options: StreamSessionOptions
  readonly #outbox: RequestOutbox
  readonly #digest = new HeldDigest()
  readonly #ack: Acknowledgement
  readonly #pieces = new PieceCollector()
  #pieceBytes = 0
  /** Of the last message; 0 before any, and for ever from a server that does not count. */
  #received = 0
  #isShown = false
  #isOver = false
  #cancelFlush: Cancel | undefined
  /** Until the first message. */
  #cancelSilence: Cancel | undefined

  /** Subscribes to all that is held at once. */
  constructor(options: StreamSessionOptions) {
    const { stream, client, clock, random, held } = options
    this.stream = stream
    this.#options = options
    this.#ack = new Acknowledgement({ clock, random, onDue: () => this.flush() })
    this.#outbox = new RequestOutbox({ client, onTold: told => this.#digest.changed(told) })
    this.held = new HeldResources(
      clock,
      {
        wantChanged: replicas => this.#tellSoon(() => this.#outbox.replicasChanged(replicas)),
        markChanged: changed => this.#digest.changed(changed),
        nameOpened: name => this.#tellSoon(() => this.#outbox.subscribe(name)),
        nameTold: name => this.#digest.changed(name),
        nameClosed: name => this.#tellSoon(() => this.#outbox.unsubscribe(name)),
        treeShown: () => this.#tellSoon(() => this.#oweAck(false)),
      },
      held,
    )
    this.#awaitWord()
    this.flush()
  }

  /** What it holds is what people see from now on. */
  show(): void {
    this.#isShown = true
    if (this.#received > 0) this.#oweAck(true)
    this.flush()
  }

  /** Sends what there is to say, if the message before has been taken. */
  flush(): void {
    if (!this.stream.canSend) return
    const { counts } = this.#options
    const outgoing = this.#outbox.take(this.#ack.isDue ? () => this.#takeAck() : undefined)
    if (outgoing === undefined) return
    if (!outgoing.isAckAlone) counts.add('messagesSent')
    this.stream.send(outgoing.bytes)
  }

  /** Takes a message. Throws a RangeError when it cannot be read, or says what cannot be. */
  receive(bytes: Buffer): void {
    const { counts, onMove } = this.#options
    counts.add('messagesReceived')
    this.#endSilence()
    const response = decodeWatchResponse(bytes)
    const { sequence, piece, wantsHeld, unknownKeys, unknownIds, move } = response
    if (sequence !== 0 && sequence <= this.#received) {
      counts.add('messagesIgnored')
      return
    }
    const hasGap = sequence > this.#received + 1
    this.#received = sequence
    const whole = piece && this.#collect(piece, sequence)
    const updates = whole === undefined ? response.updates : [whole, ...response.updates]
    counts.add('updatesReceived', updates.length)
    if (sequence !== 0) this.#oweAck(hasGap, Math.min(response.ackWithinMs, maxAckWithinMs))
    this.#take(updates)
    // A tree may have several large leaves, one after the other in pieces, however long that takes.
    if (piece === undefined) this.held.replicas.dropUnclaimed()
    this.#resubscribe(unknownKeys)
    for (const id of unknownIds) this.held.replicas.forget(id)
    if (wantsHeld) this.#answerHeld()
    if (move !== undefined) onMove(move)
    this.flush()
  }

  /** The stream is over, or not wanted any more: nothing is sent. What is held stands. */
  close(): void {
    this.#isOver = true
    this.#ack.close()
    this.#endSilence()
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
  }

  /** What was lost is missed by a server that hears of something later: it hears so until it says something itself. */
  #awaitWord(): void {
    this.#cancelSilence = this.#options.clock.after(silenceMs, () => {
      this.#outbox.introduceAgain()
      this.#awaitWord()
      this.flush()
    })
  }

  #endSilence(): void {
    this.#cancelSilence?.()
    this.#cancelSilence = undefined
  }

  #take(updates: readonly ReceivedUpdate[]): void {
    const isConsistent = this.held.receive(updates, this.#received)
    // A server that counts learns from the digest that a message is missing; from any other nothing can be trusted now.
    if (!isConsistent && this.#received === 0) throw new RangeError('it confirms a content that is not held')
    for (const { hash, state, ...of } of updates) {
      if (state.kind !== 'unusable') continue
      const resource = of.kind === 'tree' ? of.key : of.id
      this.#options.counts.add('updatesRefused')
      this.#outbox.refuse({ kind: 'refused', resource, hash, reason: state.reason })
    }
  }

  #collect(piece: Piece, sequence: number): ReceivedUpdate | undefined {
    this.#pieceBytes = piece.bytes.length + (piece.begins ? 0 : this.#pieceBytes)
    if (this.#pieceBytes > maxPiecesBytes) throw new RangeError('an update in pieces is too large')
    const whole = this.#pieces.add(piece, sequence)
    return whole === undefined ? undefined : decodeUpdate(whole)
  }

  #resubscribe(keys: readonly number[]): void {
    for (const key of keys) {
      const held = this.held.name(key)
      if (held === undefined) continue
      held.forget()
      this.#digest.changed(held)
      this.#outbox.subscribe(held)
    }
  }

  #answerHeld(): void {
    this.#options.counts.add('driftAnswers')
    this.#outbox.tellHeld(heldContents(this.held))
  }

  #takeAck(): Ack {
    const delayMs = this.#ack.said()
    this.#options.counts.add('acksSent')
    const received = this.#received
    // What nobody sees is not in use.
    const applied = this.#isShown ? this.held.appliedOf(received) : 0
    return { kind: 'ack', received, applied, digest: this.#digest.value, delayMs }
  }

  #oweAck(isUrgent: boolean, withinMs = 0): void {
    if (this.#received > 0) this.#ack.owe(isUrgent, withinMs)
  }

  /** What is said in one turn of the event loop goes out together. */
  #tellSoon(note: () => void): void {
    if (this.#isOver) return
    note()
    this.#cancelFlush ??= this.#options.clock.defer(() => {
      this.#cancelFlush = undefined
      this.flush()
    })
  }
}

/** Lazily, so that what is subscribed while it is being told stands at its end. */
function* heldContents(held: HeldResources): Iterable<HeldContent> {
  for (const name of held.names) if (name.isSubscribed) yield name
  for (const replicas of held.replicas.values()) if (replicas.isFollowed) yield replicas
}
