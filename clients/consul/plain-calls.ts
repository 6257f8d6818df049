// What is asked once and not followed: the agent itself and the datacenters, through the consul package with two
// connections of its own. Knows nothing of followed queries.
import { Buffer } from 'node:buffer'
import { EventEmitter } from 'node:events'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Consul from 'consul'
import type { CommonOptions } from 'consul/lib/consul.js'
import type { Clock } from '../../watch/clock.ts'
import type { ConsulSelf } from './agent.ts'
import { ConsulError, connectionError, statusError } from './consul-error.ts'
import { type ConsulTls, tlsSettings } from './options.ts'

const connections = 2
const answerWithinMs = 5000

export interface PlainCallsOptions {
  readonly host: string
  readonly port: number
  readonly tls?: ConsulTls
  readonly token?: string
  readonly clock: Clock
}

/** What each call is given; the package takes `ctx`, which its types do not name. */
interface CallContext extends CommonOptions {
  readonly ctx: EventEmitter
}

/** Whoever made it closes it. */
export class PlainCalls {
  readonly #options: PlainCallsOptions
  readonly #client: Consul
  readonly #calls = new Set<EventEmitter>()

  constructor(options: PlainCallsOptions) {
    this.#options = options
    const { host, port, tls, token } = options
    const shared = { keepAlive: true, maxSockets: connections }
    this.#client = new Consul({
      host: host.includes(':') ? `[${host}]` : host,
      port,
      secure: tls !== undefined,
      agent: tls === undefined ? new HttpAgent(shared) : new HttpsAgent({ ...shared, ...tlsSettings(tls, host) }),
      ...(token !== undefined && { defaults: { token } }),
    })
  }

  async self(): Promise<ConsulSelf> {
    return decodeSelf(await this.#call(context => this.#client.agent.self(context)))
  }

  async datacenters(): Promise<readonly string[]> {
    const names: unknown = await this.#call(context => this.#client.catalog.datacenters(context))
    if (Array.isArray(names) && names.every(name => typeof name === 'string')) return names
    throw new ConsulError('malformed', "Consul's list of datacenters is not a list of names")
  }

  close(): void {
    for (const call of this.#calls) call.emit('cancel')
    this.#client.destroy()
  }

  /** The package waits for ever on an answer that breaks off, so each call is cancelled at a deadline. */
  async #call(ask: (context: CallContext) => Promise<unknown>): Promise<unknown> {
    const { host, port, clock } = this.#options
    const ctx = new EventEmitter()
    this.#calls.add(ctx)
    let isLate = false
    const cancelDeadline = clock.after(answerWithinMs, () => {
      isLate = true
      ctx.emit('cancel')
    })
    try {
      return await ask({ ctx })
    } catch (error) {
      if (isLate) throw new ConsulError('deadline', `the Consul agent did not answer within ${answerWithinMs} ms`)
      throw answerError(error) ?? connectionError(error, `${host}:${port}`)
    } finally {
      cancelDeadline()
      this.#calls.delete(ctx)
    }
  }
}

/** The package's error for an answer other than 2xx bears the answer; undefined for others. */
function answerError(error: unknown): ConsulError | undefined {
  if (!(error instanceof Error) || !('response' in error)) return undefined
  const { response } = error
  if (typeof response !== 'object' || response === null) return undefined
  if (!('statusCode' in response) || typeof response.statusCode !== 'number') return undefined
  const body = 'body' in response ? response.body : undefined
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : ''
  return statusError(response.statusCode, text, undefined)
}

function decodeSelf(body: unknown): ConsulSelf {
  const config = memberOf(body, 'Config')
  const datacenter = memberOf(config, 'Datacenter')
  if (typeof datacenter !== 'string' || datacenter === '') {
    throw new ConsulError('malformed', 'Consul does not say which datacenter its agent is in')
  }
  const domain = memberOf(memberOf(body, 'DebugConfig'), 'DNSDomain')
  const plainDomain = typeof domain === 'string' ? domain.replace(/\.$/, '') : ''
  return { datacenter, domain: plainDomain === '' ? 'consul' : plainDomain }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined
}
