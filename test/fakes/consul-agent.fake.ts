// A Consul agent on loopback that does what a test says: real HTTP and blocking queries, faults of every kind. With a
// fake clock its waits end when the test moves the clock; sockets still need turns of the real event loop: `until`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type Clock, systemClock } from '../../watch/clock.ts'
import { FakeClock } from './clock.fake.ts'
import { FakeCatalog, type FakeInstance, showCatalogService, showHealthService } from './consul-catalog.fake.ts'

export interface FakeRequest {
  /** Without /v1, decoded. */
  readonly path: string
  readonly parameters: URLSearchParams
  readonly token: string | undefined
  /** The index that it waits for; undefined when it is to be answered at once. */
  readonly index: number | undefined
}

export interface FakeReply {
  readonly status: number
  /** X-Consul-Index; absent when undefined. */
  readonly index: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Sent as it is when it is text, as JSON otherwise. */
  readonly body: unknown
}

/**
 * What the agent does with a request in place of the usual: a status with a text; no answer; headers and no body; one
 * byte of body for each ms of `everyMs`; the usual answer at once, without holding it; its connection cut.
 */
export type FakeFault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly text?: string
      readonly headers?: Record<string, string>
    }
  | { readonly kind: 'hang' | 'headers-only' | 'early' | 'cut' }
  | { readonly kind: 'drip'; readonly everyMs: number }

/** Texts of PEM. With `ca` the agent wants a certificate of that authority from its clients. */
export interface FakeCertificate {
  readonly cert: string
  readonly key: string
  readonly ca?: string
  readonly requestCert?: boolean
}

interface Held {
  readonly request: FakeRequest
  answer(): void
  /** Ends its wait without an answer. */
  forget(): void
}

export class FakeConsulAgent {
  /** The fault of a request; the usual answer when undefined. */
  fault: (request: FakeRequest) => FakeFault | undefined = () => undefined
  /** The last word on a usual answer. */
  reply: (request: FakeRequest, usual: FakeReply) => FakeReply = (_, usual) => usual
  /** A connection over it is answered 429 and closed, as limits.http_max_conns_per_client does. */
  connectionLimit = Number.POSITIVE_INFINITY
  catalog = new FakeCatalog()
  datacenters: readonly string[] = ['dc1']
  /** Every request that came, oldest first. */
  readonly requests: FakeRequest[] = []
  /** The most connections that were open at once. */
  mostConnections = 0
  refused = 0
  readonly #clock: Clock
  readonly #certificate: FakeCertificate | undefined
  #server: Server | undefined
  #port = 0
  readonly #held = new Set<Held>()
  readonly #unanswered = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()

  constructor(clock: Clock, certificate?: FakeCertificate) {
    this.#clock = clock
    this.#certificate = certificate
  }

  /** Listens before it returns. Whoever starts it stops it, or says `await using`. */
  static async start(clock: Clock = systemClock, certificate?: FakeCertificate): Promise<FakeConsulAgent> {
    const agent = new FakeConsulAgent(clock, certificate)
    await agent.listen()
    return agent
  }

  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Blocking queries that wait for news. */
  get held(): number {
    return this.#held.size
  }

  /** Requests that wait for news, and those that a fault leaves without a whole answer. */
  get parked(): number {
    return this.#held.size + this.#unanswered.size
  }

  /** Listens on the port that it had before. */
  async listen(): Promise<void> {
    const serve = (message: IncomingMessage, response: ServerResponse): void => this.#serve(message, response)
    const server = this.#certificate === undefined ? createServer(serve) : createTlsServer(this.#certificate, serve)
    server.on('connection', socket => this.#accept(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port // a TCP server has no other kind
  }

  /** As kill -9: every connection is cut, nothing listens. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    this.#held.clear()
    const closed = new Promise(resolve => server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** A dev agent that was restarted: it knows nothing but these, and counts from the beginning. */
  async restartEmpty(...instances: readonly FakeInstance[]): Promise<void> {
    await this.stop()
    this.catalog = new FakeCatalog()
    for (const instance of instances) this.catalog.register(instance)
    await this.listen()
  }

  register(...instances: readonly FakeInstance[]): void {
    for (const instance of instances) this.catalog.register(instance)
    this.#wake()
  }

  deregister(...instances: readonly FakeInstance[]): void {
    for (const instance of instances) this.catalog.deregister(instance)
    this.#wake()
  }

  /** Says nothing more to those who wait; their connections stay. */
  freeze(): void {
    for (const { forget } of this.#held) forget()
    this.#held.clear()
  }

  /** Indexes move on without a change: of one service, or of the catalog. */
  churn(service?: string): void {
    this.catalog.churn(service)
    this.#wake()
  }

  /** Turns of the event loop, and of a fake clock, until the condition holds; the test's own limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise(setImmediate)
      if (this.#clock instanceof FakeClock) this.#clock.settle()
    }
  }

  /** Requests for a path, such as /health/service/web. */
  requestsFor(path: string): readonly FakeRequest[] {
    return this.requests.filter(request => request.path === path)
  }

  #accept(socket: Socket): void {
    if (this.#sockets.size >= this.connectionLimit) {
      this.refused++
      socket.on('error', () => {})
      socket.end(
        'HTTP/1.1 429 Too Many Requests\r\nContent-Length: 20\r\nConnection: close\r\n\r\nToo many connections',
      )
      socket.destroySoon()
      return
    }
    this.#sockets.add(socket)
    this.mostConnections = Math.max(this.mostConnections, this.#sockets.size)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const url = new URL(message.url ?? '/', 'http://agent')
    const token = message.headers['x-consul-token']
    const index = Number(url.searchParams.get('index') ?? '0')
    const request: FakeRequest = {
      path: decodeURIComponent(url.pathname.replace(/^\/v1/, '')),
      parameters: url.searchParams,
      token: typeof token === 'string' ? token : undefined,
      index: index > 0 ? index : undefined,
    }
    this.requests.push(request)
    const fault = this.fault(request)
    if (fault === undefined) this.#answerOrHold(request, response)
    else this.#misbehave(fault, request, response)
  }

  #misbehave(fault: FakeFault, request: FakeRequest, response: ServerResponse): void {
    if (fault.kind === 'hang' || fault.kind === 'headers-only' || fault.kind === 'drip') {
      this.#park(response)
    }
    if (fault.kind === 'status') response.writeHead(fault.status, fault.headers).end(fault.text ?? '')
    else if (fault.kind === 'cut') response.destroy()
    else if (fault.kind === 'early') this.#answer(request, response)
    else if (fault.kind === 'headers-only') response.writeHead(200, { 'content-length': '100' }).flushHeaders()
    else if (fault.kind === 'drip') this.#drip(response, fault.everyMs)
  }

  #park(response: ServerResponse): void {
    this.#unanswered.add(response)
    response.on('close', () => this.#unanswered.delete(response))
  }

  #drip(response: ServerResponse, everyMs: number): void {
    response.writeHead(200, { 'content-length': '1000000' }).flushHeaders()
    const next = (): void => {
      if (response.destroyed) return
      response.write(' ')
      this.#clock.after(everyMs, next)
    }
    next()
  }

  #answerOrHold(request: FakeRequest, response: ServerResponse): void {
    if (request.index === undefined || this.#indexFor(request) > request.index) {
      this.#answer(request, response)
      return
    }
    const answer = (): void => {
      cancel()
      this.#held.delete(held)
      this.#answer(request, response)
    }
    const cancel = this.#clock.after(parseWait(request.parameters.get('wait')), answer)
    const forget = (): void => {
      cancel()
      this.#park(response)
    }
    const held: Held = { request, answer, forget }
    this.#held.add(held)
    response.on('close', () => {
      cancel()
      this.#held.delete(held)
    })
  }

  #wake(): void {
    for (const held of [...this.#held]) {
      if (this.#indexFor(held.request) > (held.request.index ?? 0)) held.answer()
    }
  }

  #answer(request: FakeRequest, response: ServerResponse): void {
    const { status, index, headers, body } = this.reply(request, this.#usual(request))
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { ...headers, ...(index !== undefined && { 'x-consul-index': index }) }).end(text)
  }

  #usual(request: FakeRequest): FakeReply {
    const body = this.#bodyOf(request)
    if (body === undefined) return { status: 404, index: undefined, headers: {}, body: '' }
    const headers = { 'content-type': 'application/json', 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' }
    return { status: 200, index: String(this.#indexFor(request)), headers, body }
  }

  #indexFor({ path }: FakeRequest): number {
    const service = /^\/(?:catalog|health)\/service\/(.+)$/.exec(path)?.[1]
    return service === undefined ? this.catalog.index : this.catalog.indexOf(service)
  }

  #bodyOf({ path, parameters }: FakeRequest): unknown {
    const datacenter = parameters.get('dc') ?? this.datacenters[0] ?? 'dc1'
    const [, part, kind, service = ''] = /^\/(catalog|health)\/(service)\/(.+)$/.exec(path) ?? []
    if (kind !== undefined) {
      const tag = parameters.get('tag')
      const found = this.catalog
        .instances(service, datacenter)
        .filter(({ tags = [] }) => tag === null || tags.includes(tag))
      return found.map(part === 'health' ? showHealthService : showCatalogService)
    }
    if (path === '/catalog/services') return this.#services(datacenter)
    if (path === '/catalog/datacenters') return this.datacenters
    if (path === '/agent/self') {
      return { Config: { Datacenter: this.datacenters[0] ?? 'dc1' }, DebugConfig: { DNSDomain: 'consul.' } }
    }
    return undefined
  }

  #services(datacenter: string): Record<string, readonly string[]> {
    const tags = new Map<string, Set<string>>()
    for (const instance of this.catalog.all(datacenter)) {
      const known = tags.get(instance.service) ?? new Set()
      for (const tag of instance.tags ?? []) known.add(tag)
      tags.set(instance.service, known)
    }
    return Object.fromEntries([...tags].map(([name, known]) => [name, [...known]]))
  }
}

function parseWait(text: string | null): number {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text ?? '5m') ?? []
  const factor = unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000
  return Number(number ?? '0') * factor
}
