// How one request ends: the proxy's own answer where it failed, and what everybody who counts or logs is told of it.
import type { Binding } from '../binding/binding.ts'
import type { ResponseClass } from '../classifier/classifier.ts'
import type { BoundClient } from '../client/bound-client.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { Inbound } from '../exchange/inbound.ts'
import type { ProxyFailure, Stage } from '../failure.ts'
import { Field } from '../http1/fields.ts'
import type { ResponseHead } from '../http1/message.ts'
import type { Identified } from '../identifier/identifier.ts'
import type { Service } from '../service/service.ts'
import type { RequestResult } from '../telemetry/stats.ts'
import { type KnownSubject, sendFailure } from './answer.ts'
import type { Attempt } from './attempt.ts'
import { type RequestEnd, recordOf } from './request-record.ts'
import type { Entrance, Routing } from './routing.ts'
import type { Tries } from './tries.ts'

/** A request as far as it came; what is undefined was not reached. */
export interface EndingSubject {
  readonly inbound: Inbound
  readonly name: Identified | undefined
  /** Its own, empty for none. */
  readonly dtab: string
  readonly binding: Binding | undefined
  readonly service: Service | undefined
  readonly client: BoundClient | undefined
  readonly attempt: Attempt | undefined
  readonly attempts: number
  readonly tries: Tries | undefined
  readonly requestId: string
}

const noProblems: readonly string[] = []

export class Ending {
  /** Of the answer that was begun; 0 before. */
  status = 0
  result: RequestResult = 'failure'
  readonly #request: EndingSubject
  readonly #entrance: Entrance
  readonly #routing: Routing
  /** What the next hop made of its own response. */
  #nextHopResult: RequestResult | undefined = undefined
  #failedAt: Stage | undefined = undefined

  constructor(request: EndingSubject, entrance: Entrance, routing: Routing) {
    this.#request = request
    this.#entrance = entrance
    this.#routing = routing
  }

  /** An upstream's answer is passed on. */
  answeredWith({ status, fields }: ResponseHead, kind: ResponseClass): void {
    this.status = status
    this.result = kind === 'success' ? 'success' : 'failure'
    if ((fields.present & Field.successClass) !== 0)
      this.#nextHopResult = Number(fields.first('l5d-success-class')) > 0 ? 'success' : 'failure'
  }

  /** Writes the proxy's own answer, or cuts one that has begun. Gives the status that is counted. */
  answer(failure: ProxyFailure): number {
    const { response, body } = this.#request.inbound
    const { telemetry, log } = this.#routing
    telemetry.failed(failure.stage)
    log.debug({ stage: failure.stage, service: this.#request.name?.text }, failure.message)
    this.#failedAt = failure.stage
    if (response.isStarted) {
      response.cut()
      return this.status || failure.status
    }
    // Before the head: it says whether the connection bears to have the rest of the body read.
    body?.discard()
    sendFailure(response, failure, this.#subject(), this.#entrance.clearContext)
    return failure.status
  }

  /** Everybody is told; the caller calls it once. */
  tell(status: number, result: RequestResult): void {
    const { inbound, service } = this.#request
    const { clock, telemetry } = this.#routing
    const ms = clock.monotonic() - inbound.startedAt
    service?.stats.ended(status, result, ms)
    this.#entrance.stats.ended(status, this.#nextHopResult ?? result, ms)
    if (telemetry.wantsRecords) telemetry.record(recordOf(inbound, this.#describe(status, result, ms), clock))
  }

  #subject(): KnownSubject {
    const { namespace, clock, namingProblem } = this.#routing
    const { name, dtab, binding, client, tries } = this.#request
    const tried = tries?.problems ?? noProblems
    return { namespace, clock, service: name?.text, dtab, binding, client, tried, namingProblem: namingProblem() }
  }

  #describe(status: number, result: RequestResult, ms: number): RequestEnd {
    const { name, client, attempt, attempts, requestId } = this.#request
    const endpoint = attempt?.pick.endpoint
    return {
      status,
      result,
      ms,
      attempts,
      service: name?.text,
      client: client?.idText,
      endpoint: endpoint && showEndpoint(endpoint),
      requestId: requestId || undefined,
      failedAt: this.#failedAt,
    }
  }
}
