// Whole servers in this process that share one store, each with its own kernel, HTTP API and gRPC port.

import { parseConfig } from '../../runtime/config.ts'
import { silentLog } from '../../runtime/log.ts'
import { loadServerPlan, startServer } from '../../server/compose.ts'

/** What `GET /api/servers` says, as far as tests look. */
export interface ServersAnswer {
  readonly servers: readonly {
    readonly id: string
    readonly replies: boolean
    readonly namespaces: number
    readonly error?: string
  }[]
  readonly disagreementCount: number
}

/** The answer to a write that was waited for. */
export interface WrittenAnswer {
  readonly version: number
  readonly applied: boolean
  readonly servers?: readonly { readonly id: string; readonly replied: boolean; readonly applied: boolean }[]
}

/** The HTTP side of a server, in this process or another. */
export class ReplicaClient {
  readonly url: string

  /** Such as `http://127.0.0.1:4180`. */
  constructor(url: string) {
    this.url = url
  }

  async put(namespace: string, dtab: string, query = ''): Promise<WrittenAnswer> {
    const url = `${this.url}/api/dtabs/${namespace}${query}`
    const headers = { 'content-type': 'application/dtab' }
    const response = await fetch(url, { method: 'PUT', headers, body: dtab })
    if (!response.ok) throw new Error(`PUT answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as WrittenAnswer // our own server's
  }

  async servers(): Promise<ServersAnswer> {
    return (await (await fetch(`${this.url}/api/servers`)).json()) as ServersAnswer // our own server's
  }

  /** The version by which this server evaluates names of the namespace. */
  /** Asks again while the server says that it does not know yet. */
  async bindVersion(namespace: string): Promise<number> {
    for (;;) {
      const answer = (await (await fetch(`${this.url}/api/bind/${namespace}?path=/svc`)).json()) as WireBinding // our own
      if (answer.pending === undefined) return answer.dtabVersion
    }
  }

  /** Resolves once the answer of `servers` is as wanted, asking at each change of it. */
  async until(holds: (answer: ServersAnswer) => boolean): Promise<ServersAnswer> {
    const response = await fetch(`${this.url}/api/servers?watch=true`)
    if (response.body === null) throw new Error('no stream')
    let rest = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const event = JSON.parse(line) as ServersAnswer & { readonly type: string } // our own server's
        if (event.type === 'state' && holds(event)) return event
      }
    }
    throw new Error('the stream ended')
  }

  /** Resolves once so many servers are there and all reply. */
  untilWhole(count: number): Promise<ServersAnswer> {
    return this.until(({ servers }) => servers.length === count && servers.every(({ replies }) => replies))
  }
}

interface WireBinding {
  readonly pending?: unknown
  readonly dtabVersion: number
}

/** A configuration with ephemeral ports on loopback. */
export function replicaConfig(id: string, storage: object): object {
  return {
    admin: { port: 0 },
    server: { id },
    storage,
    interfaces: [
      { kind: 'io.l5d.httpController', port: 0 },
      { kind: 'io.l5d.mesh', port: 0 },
    ],
  }
}

/** A server in this process; dispose stops it. */
export class Replica extends ReplicaClient implements AsyncDisposable {
  /** Of its admin pages. */
  readonly adminUrl: string
  readonly #close: () => Promise<void>

  constructor(url: string, adminUrl: string, close: () => Promise<void>) {
    super(url)
    this.adminUrl = adminUrl
    this.#close = close
  }

  static async start(id: string, storage: object): Promise<Replica> {
    const plan = await loadServerPlan(parseConfig(JSON.stringify(replicaConfig(id, storage)), 'replica'))
    const server = await startServer(plan, { log: silentLog })
    const urlOf = (role: string): string =>
      `http://127.0.0.1:${server.listening.find(({ api }) => api === role)?.port ?? 0}`
    return new Replica(urlOf('http'), urlOf('admin'), () => server.close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }
}
