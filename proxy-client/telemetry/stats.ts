// What a request tells of itself when it is over, to whoever counts or logs. Knows no form of export.
import type { Stage } from '../failure.ts'

/** abandoned: the client left before its response was whole. */
export type RequestResult = 'success' | 'failure' | 'abandoned'

/** Requests of one server, service or client. Called on every request, so it only counts. */
export interface RequestStats {
  began(): void
  /** `status` 499 stands for a client that left; `ms` from the head of the request, or of the attempt, to the end. */
  ended(status: number, result: RequestResult, ms: number): void
}

/** One service: a logical name. */
export interface ServiceStats extends RequestStats {
  /** A request is sent once more because of what came back. */
  retried(): void
  /** A retry was due and the budget had nothing left. */
  budgetExhausted(): void
}

/** One client: a bound id. */
export interface ClientStats extends RequestStats {
  /** Another connection or endpoint was tried because nothing had been sent. */
  requeued(): void
  /** A requeue was due and the budget had nothing left. */
  requeueBudgetExhausted(): void
  /** An endpoint is left alone after failures. */
  removed(): void
  /** A request was sent to such an endpoint to see whether it lives. */
  probed(): void
  revived(): void
}

/** One request from the client's side, told when it is over. */
export interface RequestRecord {
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly ms: number
  /** `address:port` */
  readonly from: string
  readonly method: string
  readonly target: string
  readonly host: string | undefined
  /** The minor version. */
  readonly minor: 0 | 1
  readonly status: number
  readonly result: RequestResult
  /** Payload bytes. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Absent when it had no name, no leaf, no endpoint. */
  readonly service?: string
  readonly client?: string
  readonly endpoint?: string
  /** Times it was sent. */
  readonly attempts: number
  readonly requestId?: string
  readonly userAgent?: string
  readonly referer?: string
  /** When the proxy itself answered. */
  readonly failedAt?: Stage
}

/** All that one router tells. */
export interface RouterTelemetry {
  /** Of the listener `address:port`. */
  server(address: string): RequestStats
  /** Of a logical name, held until it is given back; beyond the limit of scopes one that all others share. Not for the way of a request. */
  service(path: string): ServiceStats
  client(id: string): ClientStats
  /** Gives back one hold. With the last the name or id is not kept any more: its figures go, and later counts are lost. */
  releaseService(path: string): void
  releaseClient(id: string): void
  /** The proxy answered by itself. */
  failed(stage: Stage): void
  /** Whether anybody wants to know of single requests now; asked once for each. */
  readonly wantsRecords: boolean
  record(record: RequestRecord): void
}
