// Calls with one answer: tried at one endpoint after the other until one serves or the time is over. Knows no method.
import { pause } from '../../watch/pause.ts'
import type { Endpoint, Endpoints } from './endpoints.ts'
import { EtcdError, etcdError } from './etcd-error.ts'
import type { EtcdMethod } from './etcd-method.ts'
import type { Login } from './login.ts'
import type { EtcdOptions } from './options.ts'
import { send } from './send.ts'

/** The longest a call may take, in milliseconds, all endpoints together. */
const callWithinMs = 5000
/** The longest that one endpoint may take to answer. */
const tryWithinMs = 1500
/** Between rounds over all endpoints: an election takes a second or so. */
const roundPauseMs = 100
/** What is left is not worth a try. */
const leastTryMs = 50
/** Where no endpoint can be connected to a call ends after so long, unless one has served a moment ago: it may be starting again. */
const refusedWithinMs = 200
/** How often one call logs in again. */
const maxLogins = 2

export interface CallsContext extends Pick<EtcdOptions, 'clock' | 'events'> {
  readonly endpoints: Endpoints
  readonly login: Login
  /** Aborted when the cluster is closed. */
  readonly closing: AbortSignal
}

/** Makes calls; nothing to dispose. */
export class Calls {
  readonly #context: CallsContext
  /** In ms of the clock's `monotonic`, when an endpoint last answered. */
  #servedAt = Number.NEGATIVE_INFINITY

  constructor(context: CallsContext) {
    this.#context = context
  }

  /** Rejects with the EtcdError of the last try. */
  async call<Q, A>(method: EtcdMethod<Q, A>, request: Q, withinMs = callWithinMs): Promise<A> {
    const { clock, endpoints, closing } = this.#context
    const bytes = method.encode(request)
    const course = new Course(clock.monotonic(), withinMs, endpoints.count)
    for (;;) {
      if (closing.aborted) throw new EtcdError('closed', 'the connection to etcd was closed')
      const outcome = await this.#try(method, bytes, Math.min(tryWithinMs, course.endsAt - clock.monotonic()))
      if (outcome.ok) return outcome.answer
      course.failed(outcome.error)
      if (!course.mayGoOn(outcome.error)) throw course.judge(outcome.error)
      if (course.isRoundOver(outcome.error)) await pause(clock, roundPauseMs, closing)
      if (clock.monotonic() > this.#lastTryAt(course)) throw course.judge(outcome.error)
    }
  }

  #lastTryAt({ endsAt, startedAt, isRefusedByAll }: Course): number {
    const latest = endsAt - leastTryMs
    if (!isRefusedByAll) return latest
    return Math.min(latest, Math.max(startedAt + refusedWithinMs, this.#servedAt + callWithinMs))
  }

  async #try<Q, A>(method: EtcdMethod<Q, A>, bytes: Buffer, withinMs: number): Promise<Outcome<A>> {
    const { endpoints, events, clock } = this.#context
    const endpoint = endpoints.current
    try {
      const answer = method.decode(await this.#send(endpoint, method.path, bytes, withinMs))
      this.#servedAt = clock.monotonic()
      return { ok: true, answer }
    } catch (thrown) {
      const error = etcdError(thrown, endpoint.address)
      events.onFailure?.(error.reason)
      if (error.isPassing) endpoints.leave(endpoint)
      return { ok: false, error }
    }
  }

  async #send(endpoint: Endpoint, path: string, bytes: Buffer, withinMs: number): Promise<Buffer> {
    const { clock, login } = this.#context
    const startedAt = clock.monotonic()
    const metadata = await login.metadata(endpoint, withinMs)
    try {
      const leftMs = withinMs - (clock.monotonic() - startedAt)
      return await send(endpoint, { path, bytes, metadata, clock, withinMs: leftMs })
    } catch (thrown) {
      const error = etcdError(thrown, endpoint.address)
      if (error.reason === 'token') login.refused(metadata)
      throw error
    }
  }
}

/** What one call has met with so far. Times in ms of the clock's `monotonic`. */
class Course {
  readonly startedAt: number
  readonly endsAt: number
  readonly #endpoints: number
  #passing = 0
  #logins = 0
  /** Tries in a row that were not connected. */
  #refused = 0
  #mayBeDone = false

  constructor(startedAt: number, withinMs: number, endpoints: number) {
    this.startedAt = startedAt
    this.endsAt = startedAt + withinMs
    this.#endpoints = endpoints
  }

  get isRefusedByAll(): boolean {
    return this.#refused >= this.#endpoints
  }

  failed(error: EtcdError): void {
    this.#refused = error.wasSent ? 0 : this.#refused + 1
    this.#mayBeDone ||= error.mayBeDone
    if (error.isPassing) this.#passing++
    if (error.reason === 'token') this.#logins++
  }

  /** A token that has run out is renewed. */
  mayGoOn(error: EtcdError): boolean {
    return error.isPassing || (error.reason === 'token' && this.#logins <= maxLogins)
  }

  isRoundOver(error: EtcdError): boolean {
    return error.isPassing && this.#passing % this.#endpoints === 0
  }

  /** A refusal says nothing of what became of an earlier try. */
  judge(error: EtcdError): EtcdError {
    return this.#mayBeDone ? error.inDoubt() : error
  }
}

type Outcome<A> = { readonly ok: true; readonly answer: A } | { readonly ok: false; readonly error: EtcdError }
