// The way of one request: identify, read its dtab, bind, draw a leaf, send. Knows no data path and no server.
import { type Path, showPath } from '../../naming/path.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock, Random } from '../../watch/clock.ts'
import type { Binding, Destination } from '../binding/binding.ts'
import type { BindingCache } from '../binding/binding-cache.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { BoundClient } from '../client/bound-client.ts'
import type { ClientCache } from '../client/client-cache.ts'
import { createLocalDtabReader } from '../context/local-dtab.ts'
import { createRequestIds } from '../context/request-id.ts'
import type { Inbound } from '../exchange/exchange.ts'
import { answerOf, badRequest, type FailureSubject, type ProxyFailure, tooLate } from '../failure.ts'
import { headerValue } from '../headers/raw-headers.ts'
import type { Identifier } from '../identifier/identifier.ts'
import type { RequestResult, RouterMetrics } from '../metrics.ts'
import { noLeafFailure, notesOn, unboundFailure, unresolvedFailure } from './naming-failures.ts'
import { type SendOptions, type SendResult, send } from './send.ts'

export interface RouterOptions {
  readonly label: string
  readonly namespace: string
  readonly identifier: Identifier
  readonly bindings: BindingCache
  readonly clients: ClientCache
  readonly classifier: Classifier
  readonly bindingTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly metrics: RouterMetrics
  readonly log: Log
  /** Why no naming server is connected, when none is. */
  readonly namingProblem: () => string | undefined
}

/** What is known of a request when it fails. */
interface Subject {
  path?: Path
  dtab?: string
  binding?: Binding
  client?: BoundClient
}

/** A step's value, or the failure that ends the request. */
type Step<T> = { readonly value: T } | { readonly failure: ProxyFailure }

export class Router {
  readonly label: string
  readonly namespace: string
  readonly bindings: BindingCache
  readonly clients: ClientCache
  readonly #options: RouterOptions
  readonly #sendOptions: SendOptions
  readonly #readDtab = createLocalDtabReader()
  readonly #nextId: () => string
  #active = 0

  constructor(options: RouterOptions) {
    this.label = options.label
    this.namespace = options.namespace
    this.bindings = options.bindings
    this.clients = options.clients
    this.#options = options
    this.#nextId = createRequestIds(options.random)
    this.#sendOptions = {
      isSuccess: (method, status) => options.classifier({ method, status }) === 'success',
      onRequeue: () => options.metrics.requeued(),
    }
  }

  /** Requests in progress. */
  get active(): number {
    return this.#active
  }

  /** Answers a request; never rejects. */
  readonly handle = async (inbound: Inbound): Promise<void> => {
    const { clock, metrics } = this.#options
    const startedAt = clock.monotonic()
    const subject: Subject = {}
    this.#active++
    try {
      const routed = await this.#route(inbound, subject)
      const result: SendResult = inbound.isAbandoned ? { kind: 'abandoned' } : routed
      const status = result.kind === 'failed' ? this.#answer(inbound, result.failure, subject) : statusOf(result)
      metrics.ended(status, this.#resultOf(inbound, result), (clock.monotonic() - startedAt) / 1000)
    } catch (error) {
      this.#options.log.error({ err: error }, 'a request failed unexpectedly; its connection was cut')
      inbound.response.cut()
    } finally {
      this.#active--
    }
  }

  close(): void {
    this.bindings.close()
    this.clients.close()
  }

  async #route(inbound: Inbound, subject: Subject): Promise<SendResult> {
    const named = this.#name(inbound, subject)
    if ('failure' in named) return { kind: 'failed', failure: named.failure }
    const deadline = this.#options.clock.monotonic() + this.#options.bindingTimeoutMs
    const binding = named.value
    subject.binding = binding
    if (!binding.isBound) await binding.settle(this.#options.bindingTimeoutMs)
    const drawn = this.#draw(binding)
    if ('failure' in drawn) return { kind: 'failed', failure: drawn.failure }
    const { client } = drawn.value
    subject.client = client
    if (client.state.kind === 'unknown') await client.settle(deadline - this.#options.clock.monotonic())
    const unresolved = unresolvedFailure(client, this.#options.bindingTimeoutMs)
    if (unresolved !== undefined) return { kind: 'failed', failure: unresolved }
    // Whoever left while the name was being bound needs no answer.
    if (inbound.isAbandoned) return { kind: 'abandoned' }
    const requestId = headerValue(inbound.head.headers, 'l5d-reqid') || this.#nextId()
    return send(inbound, drawn.value, requestId, this.#sendOptions)
  }

  #name({ head }: Inbound, subject: Subject): Step<Binding> {
    const identification = this.#options.identifier(head)
    if (identification.kind === 'unidentified') return { failure: badRequest('identify', identification.reason) }
    subject.path = identification.path
    const dtab = this.#readDtab(head.headers)
    if (dtab.kind === 'malformed') return { failure: badRequest('dtab', dtab.reason) }
    subject.dtab = dtab.text
    const binding = this.bindings.at(identification.path, dtab.text)
    if (binding !== undefined) return { value: binding }
    return { failure: tooLate('bind', 'too many new names are being bound at this moment') }
  }

  #draw(binding: Binding): Step<Destination> {
    if (!binding.isBound) return { failure: unboundFailure(binding, this.#options.bindingTimeoutMs) }
    const drawn = binding.draw(this.#options.random)
    if (drawn.kind === 'leaf') return { value: drawn.value }
    return { failure: noLeafFailure(binding, drawn.kind) }
  }

  #answer({ response }: Inbound, failure: ProxyFailure, subject: Subject): number {
    this.#options.metrics.failed(failure.stage)
    this.#options.log.debug({ stage: failure.stage, service: subject.binding?.pathText }, failure.message)
    if (response.isStarted) {
      response.cut()
      return failure.status
    }
    const { status, reason, headers, body } = answerOf(failure, this.#explain(subject))
    response.start(status, reason, headers)
    response.write(Buffer.from(body))
    response.end()
    return status
  }

  #explain({ path, dtab, ...known }: Subject): FailureSubject {
    const { clock, namingProblem } = this.#options
    return {
      namespace: this.namespace,
      notes: notesOn({ ...known, namingProblem: namingProblem() }, clock.now()),
      ...(path !== undefined && { service: showPath(path) }),
      ...(dtab !== undefined && dtab !== '' && { dtab }),
    }
  }

  #resultOf({ head }: Inbound, result: SendResult): RequestResult {
    if (result.kind === 'abandoned') return 'abandoned'
    return result.kind === 'answered' && this.#sendOptions.isSuccess(head.method, result.status) ? 'success' : 'failure'
  }
}

/** What is counted for a client that left: nginx's 499. */
const clientLeft = 499

function statusOf(result: Exclude<SendResult, { kind: 'failed' }>): number {
  return result.kind === 'answered' ? result.status : clientLeft
}
