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
  /** What the last login gave; undefined while one is under way. */
  #given: string | undefined

  constructor(options: LoginOptions) {
    this.#options = options
  }

  /** What goes with a call to this server; rejects as the login does. */
  async metadata(endpoint: Endpoint, withinMs: number): Promise<Metadata> {
    const metadata = new Metadata()
    const { login } = this.#options
    if (login === undefined) return metadata
    this.#token ??= this.#ask(endpoint, login, withinMs)
    const asked = this.#token
    try {
      metadata.set('token', await asked)
    } catch (error) {
      if (this.#token === asked) this.#token = undefined
      throw error
    }
    return metadata
  }

  /** The next call logs in again, unless another was told the same before and has done so: a login is costly to etcd. */
  refused(metadata: Metadata): void {
    if (this.#given !== undefined && metadata.get('token')[0] === this.#given) this.#token = undefined
  }

  async #ask(endpoint: Endpoint, login: { name: string; password: string }, withinMs: number): Promise<string> {
    const { path, encode, decode } = authenticateMethod
    const { clock } = this.#options
    this.#given = undefined
    const answer = await send(endpoint, { path, bytes: encode(login), metadata: new Metadata(), withinMs, clock })
    this.#given = decode(answer)
    return this.#given
  }
}
