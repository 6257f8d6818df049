// Plain HTTP to a Consul agent, from a loopback address of its own, so that it takes none of the connections under test.
import { Pool } from 'undici'

export interface ConsulService {
  readonly name: string
  /** The name when absent. */
  readonly id?: string
  readonly address?: string
  readonly port: number
  readonly tags?: readonly string[]
  readonly meta?: Readonly<Record<string, string>>
  /** Adds a check that begins in this state and changes by `setHealth` only. */
  readonly health?: ConsulHealth
}

export type ConsulHealth = 'passing' | 'warning' | 'critical'

/** One answer of a blocking query. */
export interface BlockedAnswer {
  readonly body: unknown
  readonly index: string
}

/** Every call rejects on a status that is not 2xx, and on no answer. Dispose closes its connections. */
export class ConsulApi implements AsyncDisposable {
  readonly #pool: Pool

  readonly #headers: Readonly<Record<string, string>>

  constructor(port: number, token?: string) {
    this.#headers = token === undefined ? {} : { 'x-consul-token': token }
    this.#pool = new Pool(`http://127.0.0.1:${port}`, {
      connections: 16,
      connect: { localAddress: '127.0.0.9' },
      bodyTimeout: 0,
      headersTimeout: 0,
    })
  }

  /** Whether a leader is known; false while nobody listens. */
  async hasLeader(): Promise<boolean> {
    const leader = await this.request('GET', '/status/leader').catch(() => undefined)
    return leader !== undefined && leader.body !== ''
  }

  async register(service: ConsulService): Promise<void> {
    const { name, id = name, address = '127.0.0.1', port, tags = [], meta = {}, health } = service
    const check = { CheckID: `check-${id}`, Name: 'set by hand', TTL: '24h', Status: health }
    await this.request('PUT', '/agent/service/register', {
      ID: id,
      Name: name,
      Address: address,
      Port: port,
      Tags: tags,
      Meta: meta,
      ...(health !== undefined && { Check: check }),
    })
  }

  async deregister(id: string): Promise<void> {
    await this.request('PUT', `/agent/service/deregister/${id}`)
  }

  /** Of a service that was registered with a health. */
  async setHealth(id: string, health: ConsulHealth): Promise<void> {
    await this.request('PUT', `/agent/check/update/check-${id}`, { Status: health })
  }

  async setMaintenance(id: string, enable: boolean): Promise<void> {
    await this.request('PUT', `/agent/service/maintenance/${id}?enable=${enable}`)
  }

  async putKey(key: string, value: string | Uint8Array): Promise<void> {
    await this.request('PUT', `/kv/${key}`, value)
  }

  async deleteKey(key: string): Promise<void> {
    await this.request('DELETE', `/kv/${key}`)
  }

  /** A health query of one service that waits until its index passes `index`. */
  async health(service: string, index?: string): Promise<BlockedAnswer> {
    return await this.request(
      'GET',
      `/health/service/${service}${index === undefined ? '' : `?index=${index}&wait=60s`}`,
    )
  }

  /** A path after /v1. Texts and bytes are sent as they are, anything else as JSON. */
  async request(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<BlockedAnswer> {
    const response = await this.#pool.request({
      method,
      path: `/v1${path}`,
      headers: this.#headers,
      ...(body !== undefined && {
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    })
    const text = await response.body.text()
    if (response.statusCode >= 300) throw new Error(`${method} ${path} answered ${response.statusCode}: ${text}`)
    return {
      body: text === '' ? undefined : JSON.parse(text),
      index: String(response.headers['x-consul-index'] ?? ''),
    }
  }

  /** All that Consul holds, to be put back later. */
  async saveSnapshot(): Promise<Uint8Array> {
    const response = await this.#pool.request({ method: 'GET', path: '/v1/snapshot', headers: this.#headers })
    if (response.statusCode !== 200)
      throw new Error(`no snapshot: ${response.statusCode} ${await response.body.text()}`)
    return new Uint8Array(await response.body.arrayBuffer())
  }

  async restoreSnapshot(snapshot: Uint8Array): Promise<void> {
    const how = { method: 'PUT', path: '/v1/snapshot', headers: this.#headers, body: snapshot } as const
    const response = await this.#pool.request(how)
    const text = await response.body.text()
    if (response.statusCode !== 200) throw new Error(`not restored: ${response.statusCode} ${text}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }
}
