// One try of a request at one endpoint: its response is relayed to the client as it comes, with back-pressure both ways, or
// dropped when the request is tried again. Tells the balancer and the client's figures how it ended.
import type { Socket } from 'node:net'
import type { Clock } from '../../watch/clock.ts'
import type { Outcome, Pick } from '../balancer/balancer.ts'
import type { ResponseClass } from '../classifier/classifier.ts'
import type { BoundClient } from '../client/bound-client.ts'
import type { Inbound } from '../exchange/inbound.ts'
import type { Fields } from '../http1/fields.ts'
import type { ResponseHead } from '../http1/message.ts'
import type { Sending, Upstream, UpstreamFailure, UpstreamHandler, UpstreamRequest } from '../pool/upstream.ts'
import type { RequestResult } from '../telemetry/stats.ts'
import type { Timeout, TimeoutQueue } from '../timeout/timeout-queue.ts'

/** The request that an attempt is made for. What is relayed goes to its `inbound`. */
export interface AttemptOwner extends UpstreamRequest {
  readonly inbound: Inbound
  classOf(head: ResponseHead): ResponseClass
  /** Whether it is tried again, so that the response is dropped; asked for a retryable failure, and final. */
  takesRetry(): boolean
  /** Begins what takesRetry has promised. */
  retry(): void
  /** Whether the client must not see the body of this response. */
  hidesBody(head: ResponseHead): boolean
  /** Answers with the head alone; the request is over. */
  answerWithoutBody(head: ResponseHead, kind: ResponseClass): void
  /** Writes the head of the response. */
  startResponse(head: ResponseHead, kind: ResponseClass): void
  /** Writes the end of the response; the request is over. */
  endResponse(trailers: Fields | undefined): void
  relayInterim(head: ResponseHead): void
  /** Takes over the upstream's socket; `onOver` is called once when both are closed. */
  openTunnel(head: ResponseHead, socket: Socket, early: Buffer, onOver: () => void): void
  attemptFailed(attempt: Attempt, failure: UpstreamFailure): void
  attemptTimedOut(attempt: Attempt): void
  /** Ends the request after an error of our own. */
  crash(error: unknown): void
}

/** What all attempts of a router share. */
export interface AttemptParts {
  readonly clock: Clock
  /** How long the rest of a response that is dropped may take before its connection is closed. */
  readonly dropTimeouts: TimeoutQueue
}

/** Of a response that is dropped: read so that the connection can be kept, unless there is more of it. */
const maxDroppedBytes = 64 * 1024

/** What is counted for a client that left: nginx's 499. */
export const clientLeft = 499

export class Attempt implements UpstreamHandler {
  readonly client: BoundClient
  readonly pick: Pick<Upstream>
  readonly #owner: AttemptOwner
  readonly #parts: AttemptParts
  readonly #startedAt: number
  #sending: Sending | undefined = undefined
  #timeout: Timeout | undefined = undefined
  #phase: 'waiting' | 'relaying' | 'dropping' | 'over' = 'waiting'
  #kind: ResponseClass = 'success'
  #status = 0
  #dropped = 0

  constructor(owner: AttemptOwner, client: BoundClient, pick: Pick<Upstream>, parts: AttemptParts) {
    this.#owner = owner
    this.client = client
    this.pick = pick
    this.#parts = parts
    this.#startedAt = parts.clock.monotonic()
  }

  /** Sends the request; the owner may be told of a failure before this returns. */
  start(): void {
    this.client.stats.began()
    const queue = this.client.attemptTimeouts
    if (queue !== undefined) {
      this.#timeout = queue.create(() => this.#owner.attemptTimedOut(this))
      this.#timeout.start()
    }
    const sending = this.pick.target.send(this.#owner, this)
    if (this.#phase === 'over') sending.abort()
    else this.#sending = sending
  }

  /** Ends it without another word to the owner. `status` is what is counted. */
  abort(outcome: Outcome, status: number, result: RequestResult): void {
    if (this.#phase === 'over') return
    if (this.#phase !== 'dropping') this.#settle(outcome, status, result)
    this.#stopDropping()
    this.#sending?.abort()
  }

  get isDrained(): boolean {
    return this.#phase === 'dropping' || this.#owner.inbound.response.isDrained
  }

  onInterim(head: ResponseHead): void {
    if (this.#phase === 'waiting') this.#owner.relayInterim(head)
  }

  onResponse(head: ResponseHead): void {
    try {
      this.#take(head)
    } catch (error) {
      this.#owner.crash(error)
    }
  }

  #take(head: ResponseHead): void {
    if (this.#phase !== 'waiting') return
    this.#timeout?.stop()
    this.#status = head.status
    this.#kind = this.#owner.classOf(head)
    this.pick.answered(this.#result)
    if (this.#kind === 'retryableFailure' && this.#owner.takesRetry()) {
      this.#beginDropping()
      this.#owner.retry()
      return
    }
    if (this.#owner.hidesBody(head)) {
      this.#beginDropping()
      this.#owner.answerWithoutBody(head, this.#kind)
      return
    }
    this.#phase = 'relaying'
    this.#owner.startResponse(head, this.#kind)
  }

  onData(slice: Buffer): boolean {
    try {
      return this.#phase === 'relaying' ? this.#relay(slice) : this.#drop(slice)
    } catch (error) {
      this.#owner.crash(error)
      return true
    }
  }

  #relay(slice: Buffer): boolean {
    const { inbound } = this.#owner
    const takesMore = inbound.response.write(slice)
    if (!takesMore) inbound.onDrain(() => this.#sending?.resume())
    return takesMore
  }

  onFlush(): void {
    try {
      if (this.#phase === 'relaying') this.#owner.inbound.response.flush()
    } catch (error) {
      this.#owner.crash(error)
    }
  }

  onEnd(trailers: Fields | undefined): void {
    try {
      this.#finish(trailers)
    } catch (error) {
      this.#owner.crash(error)
    }
  }

  #finish(trailers: Fields | undefined): void {
    if (this.#phase !== 'relaying') {
      this.#stopDropping()
      return
    }
    const result = this.#result
    this.#settle(result, this.#status, result)
    this.#owner.endResponse(trailers)
  }

  onTunnel(head: ResponseHead, socket: Socket, early: Buffer): void {
    try {
      this.#hand(head, socket, early)
    } catch (error) {
      this.#owner.crash(error)
    }
  }

  #hand(head: ResponseHead, socket: Socket, early: Buffer): void {
    if (this.#phase === 'over') {
      socket.destroy()
      return
    }
    this.#timeout?.stop()
    this.pick.answered('success')
    this.#owner.openTunnel(head, socket, early, () => this.#settle('success', head.status, 'success'))
  }

  onFailure(failure: UpstreamFailure): void {
    try {
      this.#fail(failure)
    } catch (error) {
      this.#owner.crash(error)
    }
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#phase === 'dropping') this.#stopDropping()
    if (this.#phase === 'over') return
    this.#settle(outcomeOf(failure), this.#status || 502, 'failure')
    this.#owner.attemptFailed(this, failure)
  }

  /** The figures have it over now; what is left of the response is nobody's concern. */
  #beginDropping(): void {
    this.#phase = 'dropping'
    const result = this.#result
    this.#tell(result, this.#status, result)
    this.#timeout = this.#parts.dropTimeouts.create(() => this.#cutDropped())
    this.#timeout.start()
  }

  /** What the answer says of the endpoint, and of the request. */
  get #result(): 'success' | 'failure' {
    return this.#kind === 'success' ? 'success' : 'failure'
  }

  #drop(slice: Buffer): true {
    this.#dropped += slice.length
    if (this.#phase === 'dropping' && this.#dropped > maxDroppedBytes) this.#cutDropped()
    return true
  }

  #cutDropped(): void {
    this.#stopDropping()
    this.#sending?.abort()
  }

  #stopDropping(): void {
    this.#phase = 'over'
    this.#timeout?.stop()
  }

  #settle(outcome: Outcome, status: number, result: RequestResult): void {
    this.#phase = 'over'
    this.#timeout?.stop()
    this.#tell(outcome, status, result)
  }

  #tell(outcome: Outcome, status: number, result: RequestResult): void {
    this.pick.release(outcome)
    this.client.stats.ended(status, result, this.#parts.clock.monotonic() - this.#startedAt)
  }
}

function outcomeOf({ kind }: UpstreamFailure): Outcome {
  if (kind === 'refused') return 'refused'
  // Neither a pool without room nor a client that stops sending says anything of the endpoint.
  return kind === 'crowded' || kind === 'bodyCut' ? 'aborted' : 'failure'
}
