// Calls with one answer: tried at one endpoint after the other until one serves or the time is over. Knows no method.
import { pause } from '../../watch/pause.ts'
import type { Endpoint, Endpoints } from './endpoints.ts'
import { EtcdError, etcdError } from './etcd-error.ts'
import type { EtcdMethod } from './etcd-method.ts'
import type { Login } from './login.ts'
import type { EtcdOptions } from './options.ts'
import { send } from './send.ts'

/** The longest a call may take, in milliseconds, all endpoints together. */
export const callWithinMs = 5000
/** The longest that one endpoint may take to answer. */
const tryWithinMs = 1500
/** Between rounds over all endpoints: an election takes a second or so. */
const roundPauseMs = 100
/** What is left is not worth a try. */
const leastTryMs = 50

export interface CallsContext extends Pick<EtcdOptions, 'clock' | 'events'> {
  readonly endpoints: Endpoints
  readonly login: Login
  /** Aborted when the cluster is closed. */
  readonly closing: AbortSignal
}

/** Makes calls; nothing to dispose. */
export class Calls {
  readonly #context: CallsContext

  constructor(context: CallsContext) {
    this.#context = context
  }

  /** Rejects with the EtcdError of the last try. */
  async call<Q, A>(method: EtcdMethod<Q, A>, request: Q, withinMs = callWithinMs): Promise<A> {
    const { clock, endpoints, closing } = this.#context
    const bytes = method.encode(request)
    const endsAt = clock.monotonic() + withinMs
    for (let tries = 1; ; tries++) {
      if (closing.aborted) throw new EtcdError('closed', 'the connection to etcd was closed')
      const outcome = await this.#try(method, bytes, Math.min(tryWithinMs, endsAt - clock.monotonic()))
      if (outcome.ok) return outcome.answer
      if (!this.#mayTryAgain(outcome.error, tries)) throw outcome.error
      if (outcome.error.isPassing && tries % endpoints.count === 0) await pause(clock, roundPauseMs, closing)
      if (endsAt - clock.monotonic() < leastTryMs) throw outcome.error
    }
  }

  async #try<Q, A>(method: EtcdMethod<Q, A>, bytes: Buffer, withinMs: number): Promise<Outcome<A>> {
    const { endpoints, events } = this.#context
    const endpoint = endpoints.current
    try {
      return { ok: true, answer: method.decode(await this.#send(endpoint, method.path, bytes, withinMs)) }
    } catch (thrown) {
      const error = etcdError(thrown, endpoint.address)
      events.onFailure?.(error.reason)
      if (error.isPassing) endpoints.leave(endpoint.address)
      return { ok: false, error }
    }
  }

  async #send(endpoint: Endpoint, path: string, bytes: Buffer, withinMs: number): Promise<Buffer> {
    const { clock, login } = this.#context
    const startedAt = clock.monotonic()
    const metadata = await login.metadata(endpoint, withinMs)
    return await send(endpoint, { path, bytes, metadata, clock, withinMs: withinMs - (clock.monotonic() - startedAt) })
  }

  /** A token that has run out is renewed once. */
  #mayTryAgain(error: EtcdError, tries: number): boolean {
    if (error.isPassing) return true
    if (error.reason !== 'token' || tries > this.#context.endpoints.count + 1) return false
    this.#context.login.forget()
    return true
  }
}

type Outcome<A> = { readonly ok: true; readonly answer: A } | { readonly ok: false; readonly error: EtcdError }
