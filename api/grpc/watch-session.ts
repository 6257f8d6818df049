// One Watch stream: requests in, a piece at a time, and one message after the other out, each with a number that the client
// confirms; what it does not confirm, or confirms otherwise, is repaired. Knows nothing of what is subscribed.
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { type RequestPart, WatchRequestReader, type WireResource } from '../../proto/watch-requests.ts'
import type { Move } from '../../proto/watch-responses.ts'
import type { Ticket } from '../push/admission.ts'
import { hostOf } from '../push/http2-of-call.ts'
import type { Mailbox } from '../push/mailbox.ts'
import type { ProxyRecord } from '../push/proxy-registry.ts'
import { type PushProtocol, PushStream } from '../push/push-stream.ts'
import { SentMessages } from './sent-messages.ts'
import type { WatchContext } from './watch-context.ts'
import { NameEntry } from './watch-entries.ts'
import { WatchRepair } from './watch-repair.ts'
import { WatchSubscriptions } from './watch-subscriptions.ts'
import { WatchWriter } from './watch-writer.ts'

/** A message is closed when it has so many bytes; one more Update, or what a tree needs, may make it longer. */
const messageBytes = 32_768
/** Parts of a request, or subscriptions to give up, that one piece of work takes on. */
const partsPerPiece = 64
/** Requests wait while so many names have news and the peer takes none: who does not read is not read. */
const maxNewsUnread = 4096
/** While a request is being read, updates wait until there are so many, so that messages are not tiny. */
const newsWorthAMessage = 512
/** A message that is not confirmed for so long is followed by an empty one, and then by a question. */
const confirmMs = 5_000
/** After so long without a message an empty one goes out, whose confirmation says whether all is well. */
const idleMs = 10_000

/** What a newcomer costs at most: one with very many names is served in pieces, beside others. */
const maxAdmissionCost = 1_000

/** Streams that wait for their turn; fewer are told and heard in a few milliseconds. */
const crowd = 64
/** What a stream's message and its acknowledgement cost together is about half of this. */
const ackWithinMsPerStream = 0.05
const maxAckWithinMs = 500

type Ack = Extract<RequestPart, { kind: 'ack' }>

export type WatchCall = ServerDuplexStream<Buffer, Buffer>

export class WatchSession implements PushProtocol {
  readonly #call: WatchCall
  readonly #context: WatchContext
  readonly #proxy: ProxyRecord
  readonly #stream: PushStream
  readonly #mailbox: Mailbox
  readonly #sent: SentMessages
  readonly #subscriptions: WatchSubscriptions
  readonly #writer: WatchWriter
  readonly #repair: WatchRepair
  #request: WatchRequestReader | undefined
  /** The number of the last request. */
  #lastRequest = 0
  #ticket: Ticket | undefined
  /** Whether its first request waits until others have been served. */
  #isInLine = false
  /** Whether it has not got its first states yet. */
  #isNew = true
  #move: Move | undefined
  #isReminderDue = false
  /** When the client was reminded of what it has not confirmed. */
  #remindedAt: number | undefined
  /** The last message when a confirmation first differed. */
  #doubtedAfter: number | undefined
  #isGone = false

  /** Takes the call over: it is served until it ends. */
  constructor(call: WatchCall, context: WatchContext) {
    const address = call.getPeer()
    this.#call = call
    this.#context = context
    const proxy = context.ports.proxies.join({ protocol: 'nameplane.v1', confirms: true, address })
    proxy.addStreams(1)
    this.#proxy = proxy
    const mailbox = context.push.mailbox(() => this.#stream.wake())
    const sent = new SentMessages({ onLag: context.observeLag, onHadAll: moment => proxy.hadAllAt(moment) })
    const onOverrun = (details: string): void => this.end(status.RESOURCE_EXHAUSTED, details)
    const subscriptions = new WatchSubscriptions(context, { proxy, client: hostOf(address), sent, mailbox, onOverrun })
    this.#mailbox = mailbox
    this.#sent = sent
    this.#subscriptions = subscriptions
    this.#writer = new WatchWriter(context, { sent, mailbox, subscriptions })
    this.#repair = new WatchRepair({ sent, subscriptions, onDrift: () => context.counters.drift.inc() })
    this.#stream = new PushStream(call, this, context.push)
    context.opened(this)
    call.on('data', (bytes: Buffer) => this.#receive(bytes))
    call.on('end', () => this.#stream.finish())
  }

  work(): boolean {
    if (this.#repair.isLooking) this.#repair.look(partsPerPiece)
    else if (this.#canRead) this.#read()
    return this.#repair.isLooking || this.#canRead
  }

  nextMessage(): Buffer | undefined {
    const { builder, push } = this.#context
    const now = push.queue.now
    this.#writeQuestions(now)
    this.#writer.writePiece()
    const { oldestAt } = this.#mailbox
    const before = builder.length
    this.#writeNews()
    // News that goes in pieces has only begun.
    if (builder.length === 0) this.#writer.writePiece()
    const hasNews = builder.length > before
    if (builder.length === 0 && !this.#isReminderDue) {
      this.#leaveAdmission()
      return undefined
    }
    this.#isReminderDue = false
    const hadAll = this.#hasNothingLeft
    return builder.take(this.#sent.close(now, hasNews ? oldestAt : undefined, hadAll), this.#ackWithinMs)
  }

  /** Where a crowd is being told, acknowledgements come when most of it has been. */
  get #ackWithinMs(): number {
    const { queue, streams } = this.#context.push
    return queue.waited < crowd ? 0 : Math.min(maxAckWithinMs, Math.ceil(streams * ackWithinMsPerStream))
  }

  askToMove(withinMs: number, reason: string): void {
    this.#move = { withinMs, reason }
    this.#stream.wake()
  }

  /** Called every second or so: what should have come and has not? */
  check(): void {
    const now = this.#context.push.clock.monotonic()
    // Of who stands in line nothing is read, so that nothing can have been confirmed.
    if (!this.#sent.isCounted || this.#isInLine || this.#stream.unsentBytes > 0) return
    const { unreceivedSince, lastSentAt } = this.#sent
    if (unreceivedSince === undefined) this.#isReminderDue ||= now - lastSentAt >= idleMs
    else if (now - Math.max(unreceivedSince, this.#remindedAt ?? 0) >= confirmMs) {
      if (this.#remindedAt === undefined) this.#isReminderDue = true
      else this.#repair.want()
      this.#remindedAt = now
    }
    if (this.#repair.isHopeless(now)) this.#giveUp()
    else if (this.#isReminderDue || this.#repair.isDue(now)) this.#stream.wake()
  }

  release(): boolean {
    if (!this.#isGone) {
      this.#isGone = true
      this.#request = undefined
      this.#ticket?.leave()
      this.#context.closed(this)
      this.#proxy.leave()
    }
    this.#mailbox.clear()
    return this.#subscriptions.release(partsPerPiece)
  }

  /** Ends the stream with a status; subscriptions are given up in pieces afterwards. */
  end(code: status, details: string): void {
    this.#stream.end(code, details)
  }

  /** Whoever does not confirm gets no more at some point, and would keep for ever what it has. */
  #giveUp(): void {
    this.#context.push.counters.resets.inc({ reason: 'unconfirmed' })
    this.end(status.UNAVAILABLE, 'What was sent on this stream is not confirmed; another one may do better.')
  }

  #writeQuestions(now: number): void {
    const { builder, counters } = this.#context
    if (this.#repair.isDue(now)) {
      this.#repair.asked(now)
      counters.questions.inc()
      builder.wantHeld()
    }
    if (this.#move !== undefined) builder.addMove(this.#move)
    this.#move = undefined
    const { unknown } = this.#repair
    while (unknown.length > 0 && builder.length < messageBytes) builder.addUnknown(unknown.pop() ?? 0)
  }

  #writeNews(): void {
    const worth = this.#request === undefined || this.#context.builder.length > 0 ? 1 : newsWorthAMessage
    if (this.#mailbox.readyCount < worth || this.#sent.isFull) return
    const { builder } = this.#context
    while (builder.length < messageBytes && this.#writer.writeNext());
  }

  /** After the message in the making the client has all that there is for it. */
  get #hasNothingLeft(): boolean {
    const isSent = this.#mailbox.size === 0 && !this.#writer.hasPieces
    return isSent && this.#request === undefined && this.#subscriptions.waiting === 0
  }

  get #canRead(): boolean {
    if (this.#request === undefined || this.#isInLine || this.#stream.isClosed) return false
    return this.#stream.unsentBytes === 0 || this.#mailbox.size + this.#repair.unknown.length < maxNewsUnread
  }

  /** Requests come also after the stream has ended, until its client has read all that was sent. */
  #receive(bytes: Buffer): void {
    if (this.#stream.isClosed) return
    this.#call.pause()
    this.#request = new WatchRequestReader(bytes)
    this.#guard(() => this.#takeRequest(this.#request))
    this.#stream.wake()
  }

  /** A request that was there before, or comes late, is not read; one that comes early says that others are missing. */
  #takeRequest(request: WatchRequestReader | undefined): void {
    const sequence = request?.readSequence() ?? 0
    if (sequence > 0) {
      this.#sent.isCounted = true
      if (sequence <= this.#lastRequest) this.#endRequest()
      else if (sequence > this.#lastRequest + 1) this.#repair.missedRequest()
      this.#lastRequest = Math.max(sequence, this.#lastRequest)
    }
    if (this.#ticket === undefined && this.#request !== undefined)
      this.#enter(Math.min(maxAdmissionCost, this.#request.countSubscriptions()))
  }

  /** A newcomer's first subscriptions wait until those before it have what they asked for. */
  #enter(cost: number): void {
    if (cost === 0) return
    this.#isInLine = true
    const begin = (): void => {
      this.#isInLine = false
      this.#stream.wake()
    }
    this.#ticket = this.#context.push.admission.enter(cost, begin, afterMs => this.#stream.turnAway(afterMs))
  }

  /** All that was asked for first has been sent. */
  #leaveAdmission(): void {
    if (!this.#isNew || this.#ticket === undefined || this.#isInLine || this.#request !== undefined) return
    this.#isNew = false
    this.#ticket.leave()
  }

  #endRequest(): void {
    this.#request = undefined
    this.#call.resume()
  }

  #read(): void {
    this.#guard(() => {
      for (let parts = 0; parts < partsPerPiece; parts++) {
        const part = this.#request?.next()
        if (part === undefined) {
          this.#endRequest()
          return
        }
        this.#apply(part)
        if (this.#repair.isLooking) return
      }
    })
  }

  #guard(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.end(status.INVALID_ARGUMENT, `The request does not decode: ${error.message}`)
    }
  }

  #apply(part: RequestPart): void {
    const subscriptions = this.#subscriptions
    switch (part.kind) {
      case 'client':
        this.#proxy.identify(part.id, part.version)
        return
      case 'unsubscribe':
        for (const key of part.keys) subscriptions.unsubscribe(key)
        return
      case 'unsubscribe-replicas':
        subscriptions.unsubscribeReplicas(part.id)
        return
      case 'subscribe-replicas':
        subscriptions.subscribeReplicas(part)
        return
      case 'subscribe':
        subscriptions.subscribe(part)
        return
      case 'ack':
        this.#confirm(part)
        return
      case 'held':
        this.#repair.held(part, this.#context.push.clock.monotonic())
        return
      case 'held-is-whole':
        this.#repair.heldIsWhole(this.#context.push.clock.monotonic())
        return
      case 'refused':
        this.#refuse(part)
        return
    }
  }

  /** A difference counts when it is there after the next message too: the first may be of what has crossed on the wire. */
  #confirm(ack: Ack): void {
    this.#remindedAt = undefined
    const outcome = this.#sent.confirm(ack, this.#context.push.clock.monotonic())
    if (outcome === 'agrees') {
      this.#doubtedAfter = undefined
      this.#repair.agreed()
    }
    if (outcome !== 'differs') return
    this.#context.counters.mismatches.inc()
    if (this.#doubtedAfter !== undefined && ack.received > this.#doubtedAfter) {
      this.#repair.want()
      this.#doubtedAfter = undefined
    } else {
      this.#doubtedAfter ??= this.#sent.sequence
      this.#isReminderDue = true
    }
  }

  #refuse({ resource, hash, reason }: { resource: WireResource; hash: string; reason: string }): void {
    const entry = this.#subscriptions.at(resource)
    if (entry === undefined) return
    this.#writer.refuse(entry, hash)
    this.#proxy.refused(entry instanceof NameEntry ? entry.name : 'id', reason)
  }
}
