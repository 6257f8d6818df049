// Who we are to etcd: the token that goes with each call, got by name and password. Knows no other call.
import { Metadata } from '@grpc/grpc-js'
import type { Clock } from '../../watch/clock.ts'
import type { Endpoint } from './endpoints.ts'
import { authenticateMethod } from './etcd-method.ts'
import { send } from './send.ts'

export interface LoginOptions {
  readonly login: { readonly name: string; readonly password: string } | undefined
  readonly clock: Clock
}

/** One token for all calls, until it is refused; without a login there is none. */
export class Login {
  readonly #options: LoginOptions
  #token: Promise<string> | undefined

  constructor(options: LoginOptions) {
    this.#options = options
  }

  /** What goes with a call to this server; rejects as the login does. */
  async metadata(endpoint: Endpoint, withinMs: number): Promise<Metadata> {
    const metadata = new Metadata()
    const { login } = this.#options
    if (login === undefined) return metadata
    this.#token ??= this.#ask(endpoint, login, withinMs)
    try {
      metadata.set('token', await this.#token)
    } catch (error) {
      this.forget()
      throw error
    }
    return metadata
  }

  /** The next call logs in again. */
  forget(): void {
    this.#token = undefined
  }

  async #ask(endpoint: Endpoint, login: { name: string; password: string }, withinMs: number): Promise<string> {
    const { path, encode, decode } = authenticateMethod
    const bytes = encode(login)
    return decode(await send(endpoint, { path, bytes, metadata: new Metadata(), withinMs, clock: this.#options.clock }))
  }
}
