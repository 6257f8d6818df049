// The way of one request: named, bound, a leaf drawn, sent, answered. A state machine without promises: it waits only for a
// name that is not bound yet, for an endpoint, and between tries. Knows no sockets.
import type { Socket } from 'node:net'
import type { Cancel } from '../../watch/clock.ts'
import type { Pick } from '../balancer/balancer.ts'
import type { Binding } from '../binding/binding.ts'
import type { ResponseClass } from '../classifier/classifier.ts'
import type { BoundClient } from '../client/bound-client.ts'
import { readDeadline } from '../context/deadline.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { Inbound, RequestBody } from '../exchange/inbound.ts'
import { badRequest, type ProxyFailure } from '../failure.ts'
import { withoutContext } from '../headers/clear-context.ts'
import { dateLine } from '../headers/date.ts'
import {
  clearedResponseLines,
  interimLines,
  type OutgoingRequest,
  requestHeadText,
  responseLines,
  trailerLines,
  tunnelLines,
} from '../headers/forward.ts'
import type { HostRewrite } from '../headers/host-rewrite.ts'
import { callDepth } from '../headers/via.ts'
import { Field, type Fields } from '../http1/fields.ts'
import type { RequestHead, ResponseHead } from '../http1/message.ts'
import type { Identified } from '../identifier/identifier.ts'
import type { Upstream, UpstreamFailure } from '../pool/upstream.ts'
import type { Service } from '../service/service.ts'
import type { RequestResult } from '../telemetry/stats.ts'
import { Attempt, type AttemptOwner, clientLeft } from './attempt.ts'
import { noLeafFailure, tooManyNames, unboundFailure, unresolvedFailure } from './naming-failures.ts'
import { isReplayable, ReplayBody } from './replay-body.ts'
import { Ending, type EndingSubject } from './request-ending.ts'
import { framingOf } from './response-framing.ts'
import { RetryPlan } from './retry-plan.ts'
import type { Entrance, Routing } from './routing.ts'
import {
  attemptTimedOut,
  cameTooLate,
  failureOf,
  noEndpoint,
  outOfAllTime,
  outOfBudget,
  unreachable,
} from './send-failures.ts'
import { TimeLimits } from './time-limits.ts'
import { Tries } from './tries.ts'

/** It is also what its head is composed of, and what its attempts send, so that none of that is copied. */
export class RoutedRequest implements AttemptOwner, OutgoingRequest, EndingSubject {
  readonly inbound: Inbound
  readonly head: RequestHead
  readonly method: string
  readonly expectsContinue: boolean
  readonly upgrade: string | undefined
  body: RequestBody | undefined
  target: string
  host: string | undefined
  destination = ''
  requestId = ''
  deadline: string | undefined = undefined
  added = ''
  headText = ''
  readonly #routing: Routing
  readonly #entrance: Entrance
  readonly #ending: Ending
  readonly #replay: ReplayBody | undefined
  readonly #clientHost: string | undefined
  name: Identified | undefined = undefined
  dtab = ''
  binding: Binding | undefined = undefined
  /** That of its first binding: what it counts for and is limited by, also when the name was dropped and is bound anew. */
  service: Service | undefined = undefined
  client: BoundClient | undefined = undefined
  attempt: Attempt | undefined = undefined
  tries: Tries | undefined = undefined
  #limits: TimeLimits | undefined = undefined
  #rewrite: HostRewrite | undefined = undefined
  #plan: RetryPlan | undefined = undefined
  /** Of the one wait that runs, if any. */
  #stopWaiting: Cancel | undefined = undefined
  /** Until when its name may be unbound, once it has to wait for that. */
  #bindBy = 0
  attempts = 0
  /** Whether a response was dropped to try again. */
  #wasAnswered = false
  #isOver = false

  constructor(inbound: Inbound, entrance: Entrance, routing: Routing) {
    const { head, body } = inbound
    this.inbound = inbound
    this.head = entrance.clearContext ? clearedHead(head) : head
    this.method = inbound.method
    this.expectsContinue = head.expectsContinue
    this.upgrade = head.upgrade
    this.target = inbound.target
    this.#clientHost = inbound.host
    this.host = this.#clientHost
    this.#routing = routing
    this.#entrance = entrance
    this.#ending = new Ending(this, entrance, routing)
    this.#replay = body !== undefined && isReplayable(body, routing.maxReplayBytes) ? new ReplayBody(body) : undefined
    this.body = body
  }

  start(): void {
    this.#entrance.stats.began()
    this.inbound.onAbandon(() => this.#guarded(() => this.#abandon()))
    const failure = this.#identify()
    if (failure === undefined) this.#bind()
    else this.#fail(failure)
  }

  /** Ends it after an error of our own. */
  crash(error: unknown): void {
    this.#routing.log.error({ err: error }, 'a request failed unexpectedly; its connection was cut')
    if (this.#isOver) return
    this.attempt?.abort('aborted', 500, 'failure')
    this.inbound.response.cut()
    this.#end(500, 'failure')
  }

  /** Whether its time is over; its timer may run a little later. */
  get isTooLate(): boolean {
    return this.#limits !== undefined && this.#limits.leftMs <= 0
  }

  #identify(): ProxyFailure | undefined {
    const name = this.#routing.identify(this)
    if (name.kind === 'unidentified') return badRequest('identify', name.reason)
    this.name = name
    if (name.target !== undefined) this.target = name.target
    return this.#checkDepth() ?? this.#chooseBinding(name)
  }

  #checkDepth(): ProxyFailure | undefined {
    const { maxCallDepth } = this.#entrance
    const { fields } = this.head
    if ((fields.present & Field.via) === 0 || callDepth(fields) <= maxCallDepth) return undefined
    return badRequest('depth', `the request came through more than ${maxCallDepth} proxies by its Via (maxCallDepth)`)
  }

  #chooseBinding(name: Identified): ProxyFailure | undefined {
    const { readDtab, bindings } = this.#routing
    const dtab = readDtab(this.head.fields)
    if (dtab.kind === 'malformed') return badRequest('dtab', dtab.reason)
    this.dtab = dtab.text
    const binding = bindings.at(name, dtab.text)
    if (binding === undefined) return tooManyNames
    const { service } = binding
    this.binding = binding
    this.service = service
    service.stats.began()
    service.budget.deposit()
    return this.#limitTime(service)
  }

  #limitTime(service: Service): ProxyFailure | undefined {
    const { clock } = this.#routing
    const deadline = readDeadline(this.head.fields)
    if (deadline === undefined && service.totalTimeouts === undefined) return undefined
    const leftMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline.endsAt - clock.now()
    if (leftMs <= 0) return cameTooLate(this.#routing.timeoutStatus, -leftMs)
    const onOver = (which: 'timeout' | 'deadline'): void => this.#guarded(() => this.#timeOut(which))
    this.#limits = new TimeLimits({ clock, service, deadline, onOver })
    this.deadline = this.#limits.text
    return undefined
  }

  #bind(): void {
    const binding = this.binding
    if (binding === undefined) return
    if (binding.isPending)
      this.#stopWaiting = binding.whenSettled(
        this.#patience(),
        this.#later(() => this.#draw(binding)),
      )
    else this.#draw(binding)
  }

  /** Milliseconds that it may still wait for its name. */
  #patience(): number {
    const { clock, bindingTimeoutMs } = this.#routing
    if (this.#bindBy === 0) this.#bindBy = clock.monotonic() + bindingTimeoutMs
    return this.#bindBy - clock.monotonic()
  }

  #draw(binding: Binding): void {
    if (!binding.isBound) {
      this.#fail(unboundFailure(binding, this.#routing))
      return
    }
    const drawn = binding.draw(this.#routing.random)
    if (drawn.kind !== 'leaf') {
      this.#fail(noLeafFailure(binding, drawn.kind))
      return
    }
    const { client, lines } = drawn.value
    this.client = client
    this.destination = lines
    if (client.state.kind === 'unknown')
      this.#stopWaiting = client.whenSettled(
        this.#patience(),
        this.#later(() => this.#dispatch(client)),
      )
    else this.#dispatch(client)
  }

  #dispatch(client: BoundClient): void {
    const failure = unresolvedFailure(client, this.#routing)
    if (failure !== undefined) {
      this.#fail(failure)
      return
    }
    this.#compose(client)
    client.requeueBudget.deposit()
    const pick = client.balancer.pick()
    if (pick === undefined) this.#fail(noEndpoint(client))
    else this.#send(client, pick)
  }

  #compose({ authority }: BoundClient): void {
    const { fields } = this.head
    const { forwarded, timestampHeader } = this.#entrance
    if (this.requestId === '') {
      const came = (fields.present & Field.requestId) === 0 ? undefined : fields.first('l5d-reqid')
      this.requestId = came || this.#routing.nextRequestId()
      if (forwarded !== undefined) this.added = `Forwarded: ${forwarded(this.inbound.peer)}\r\n`
      if (timestampHeader !== undefined) this.added += this.#timestampLine(timestampHeader)
    }
    this.host = authority ?? this.#clientHost
    this.#rewrite = authority === undefined ? undefined : { authority, host: this.#clientHost ?? '' }
    this.headText = requestHeadText(this)
  }

  /** The first proxy's counts. */
  #timestampLine(name: string): string {
    if (this.head.fields.first(name.toLowerCase()) !== undefined) return ''
    return `${name}: ${Math.round(this.#routing.clock.now())}\r\n`
  }

  #send(client: BoundClient, pick: Pick<Upstream>): void {
    this.attempts++
    if (this.#replay !== undefined) this.body = this.#replay.nextTurn()
    const attempt = new Attempt(this, client, pick, this.#routing)
    this.attempt = attempt
    attempt.start()
  }

  classOf({ status, fields }: ResponseHead): ResponseClass {
    const isRetryable = (fields.present & Field.retryable) !== 0 && fields.first('l5d-retryable') === 'true'
    return this.#classify(status, isRetryable)
  }

  #classify(status: number, isRetryable: boolean): ResponseClass {
    return this.service?.classify(this.method, status, isRetryable) ?? 'failure'
  }

  takesRetry(): boolean {
    const { service } = this
    if (service === undefined || this.#isOver || this.inbound.response.isStarted) return false
    if (this.body !== undefined && this.#replay === undefined) return false
    this.#plan ??= new RetryPlan(service)
    return this.#plan.tryTake(this.#limits?.leftMs ?? Number.POSITIVE_INFINITY)
  }

  retry(): void {
    this.#wasAnswered = true
    this.#tryAgain()
  }

  #tryAgain(): void {
    this.attempt = undefined
    this.tries?.beginAnew()
    const { waitMs = 0 } = this.#plan ?? {}
    if (waitMs > 0)
      this.#stopWaiting = this.#routing.clock.after(
        waitMs,
        this.#later(() => this.#bindAnew()),
      )
    else this.#bindAnew()
  }

  /** The name may be bound elsewhere by now, or have been dropped from the cache. */
  #bindAnew(): void {
    this.binding = (this.name && this.#routing.bindings.at(this.name, this.dtab)) ?? this.binding
    this.#bindBy = 0
    this.#bind()
  }

  relayInterim(head: ResponseHead): void {
    this.inbound.response.interim(head.status, head.reason, interimLines(head))
  }

  startResponse(head: ResponseHead, kind: ResponseClass): void {
    const { status, reason } = head
    this.#beginAnswer(head, kind)
    this.inbound.response.start(status, reason, this.#linesOf(head, kind), framingOf(head))
  }

  #linesOf(head: ResponseHead, kind: ResponseClass): string {
    const lines = this.#entrance.clearContext
      ? clearedResponseLines(head, this.#rewrite)
      : responseLines(head, kind === 'success', this.#rewrite)
    return (head.fields.present & Field.date) === 0 ? lines + dateLine(this.#routing.clock.now()) : lines
  }

  /** At an edge: what another proxy says of a failure of its own. */
  hidesBody({ fields }: ResponseHead): boolean {
    return this.#entrance.clearContext && (fields.present & Field.error) !== 0
  }

  answerWithoutBody(head: ResponseHead, kind: ResponseClass): void {
    this.#beginAnswer(head, kind)
    const { response } = this.inbound
    response.start(head.status, head.reason, this.#linesOf(head, kind), { kind: 'length', bytes: 0 })
    this.endResponse(undefined)
  }

  #beginAnswer(head: ResponseHead, kind: ResponseClass): void {
    this.#limits?.stop()
    this.#ending.answeredWith(head, kind)
  }

  endResponse(trailers: Fields | undefined): void {
    this.inbound.response.end(trailers === undefined ? undefined : trailerLines(trailers))
    this.#end(this.#ending.status, this.#ending.result)
  }

  openTunnel(head: ResponseHead, socket: Socket, early: Buffer, onOver: () => void): void {
    this.#beginAnswer(head, 'success')
    const client = this.inbound.response.tunnel(head.status, head.reason, tunnelLines(head, this.#rewrite))
    const end = (): void => {
      onOver()
      this.#end(head.status, 'success')
    }
    const idle = this.#entrance.tunnelIdle
    if (client !== undefined) this.#routing.openTunnel(client, { socket, early }, { idle, onOver: end })
    else {
      socket.destroy()
      this.inbound.response.cut()
      end()
    }
  }

  attemptFailed({ client, pick }: Attempt, failure: UpstreamFailure): void {
    this.tries ??= new Tries(this.method, this.body)
    const mayFollow = this.tries.note(pick, failure)
    if (mayFollow !== undefined && !this.inbound.response.isStarted && this.#affords(mayFollow))
      this.#requeue(client, this.tries)
    else this.#failOrRetry(failureOf(failure, showEndpoint(pick.endpoint)))
  }

  /** What an upstream has had is load once more, of which retries and requeues together may make no more than retries alone. */
  #affords(why: 'unsent' | 'stale' | 'repeatable'): boolean {
    return why !== 'repeatable' || this.service?.budget.tryWithdraw() === true
  }

  /** Another endpoint of the same client, at once. */
  #requeue(client: BoundClient, tries: Tries): void {
    if (this.isTooLate) {
      this.#timeOut(this.#limits?.strictest ?? 'timeout')
      return
    }
    const pick = client.balancer.pick(tries.failed) ?? client.balancer.pick(tries.refusing)
    if (pick === undefined) {
      this.#failOrRetry(unreachable(client, tries))
      return
    }
    if (client.requeueBudget.tryWithdraw()) {
      client.stats.requeued()
      this.#send(client, pick)
      return
    }
    pick.release('aborted')
    client.stats.requeueBudgetExhausted()
    this.#fail(outOfBudget(client, tries))
  }

  attemptTimedOut(attempt: Attempt): void {
    const { timeoutStatus } = this.#routing
    attempt.abort('failure', timeoutStatus, 'failure')
    this.#noteTimeout(attempt)
    this.#failOrRetry(attemptTimedOut(timeoutStatus, showEndpoint(attempt.pick.endpoint), attempt.client))
  }

  /** A failure is judged as an answer with its status would be. */
  #failOrRetry(failure: ProxyFailure): void {
    if (this.#classify(failure.status, false) === 'retryableFailure' && this.takesRetry()) this.#tryAgain()
    else this.#fail(failure)
  }

  #timeOut(which: 'timeout' | 'deadline'): void {
    const { attempt, attempts, service } = this
    const { timeoutStatus } = this.#routing
    // A client that asks for little time says nothing of the endpoint.
    attempt?.abort(which === 'timeout' ? 'failure' : 'aborted', timeoutStatus, 'failure')
    if (attempt !== undefined) this.#noteTimeout(attempt)
    this.#fail(outOfAllTime(timeoutStatus, { which, attempts, totalTimeoutMs: service?.totalTimeoutMs }))
  }

  #noteTimeout({ pick }: Attempt): void {
    this.tries ??= new Tries(this.method, this.body)
    this.tries.noteTimeout(pick)
  }

  #abandon(): void {
    if (this.#isOver) return
    this.attempt?.abort('aborted', clientLeft, 'abandoned')
    this.#end(clientLeft, 'abandoned')
  }

  #fail(failure: ProxyFailure): void {
    if (this.#isOver) return
    if (this.inbound.isAbandoned) this.#abandon()
    else this.#end(this.#ending.answer(this.#wasSent ? afterSending(failure) : failure), 'failure')
  }

  get #wasSent(): boolean {
    return this.#wasAnswered || this.tries?.wasSent === true
  }

  #end(status: number, result: RequestResult): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#limits?.stop()
    this.#stopWaiting?.()
    this.#routing.onOver()
    this.inbound.body?.discard()
    this.#ending.tell(status, result)
  }

  /** A step after a wait. The time may be over with the wait, and this be called before it says so. */
  #later(step: () => void): () => void {
    return () =>
      this.#guarded(() => {
        if (this.isTooLate) this.#timeOut(this.#limits?.strictest ?? 'timeout')
        else step()
      })
  }

  /** An error of ours ends this request and no other. */
  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.crash(error)
    }
  }
}

/** What an earlier attempt had sent may have had its effect, whatever became of the last one. */
function afterSending(failure: ProxyFailure): ProxyFailure {
  return failure.isUnsent ? { ...failure, isUnsent: false } : failure
}

function clearedHead(head: RequestHead): RequestHead {
  const fields = withoutContext(head.fields)
  return fields === head.fields ? head : { ...head, fields }
}
