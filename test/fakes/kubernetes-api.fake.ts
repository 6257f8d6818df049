// A Kubernetes API server on loopback that a test can make fail: lists in pages, watches with bookmarks and selectors,
// over HTTP/1.1, or HTTP/2 and TLS. Holds no time: nothing happens that a test did not ask for.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { constants, createSecureServer, Http2ServerResponse, type Http2Session } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import {
  type Address,
  type Change,
  type FakeObject,
  FakeObjects,
  isOf,
  parseAddress,
  selectorMatches,
} from './kubernetes-objects.fake.ts'

/** What goes wrong with one request. */
export type Fault =
  /** An error status, with a Status object as its body. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Status 200 and this text; then the answer ends, is cut off, or stays open for ever. */
  | { readonly kind: 'text'; readonly text: string; readonly ending: 'end' | 'cut' | 'open' }
  /** A watch that tells nothing of what was before it, only what comes after. */
  | { readonly kind: 'silent' }
  /** Never answered. */
  | { readonly kind: 'hang' }
  /** The connection is cut. */
  | { readonly kind: 'cut' }

export interface FakeRequest {
  readonly verb: 'list' | 'watch' | 'get'
  readonly path: string
  readonly parameters: URLSearchParams
  readonly httpVersion: string
  readonly authorization: string | undefined
  /** Common name of the client's certificate. */
  readonly certificate: string | undefined
}

/** A request that would change something. The fake changes nothing by it. */
export interface FakeChange {
  readonly method: string
  readonly path: string
  readonly contentType: string | undefined
  readonly authorization: string | undefined
  readonly body: unknown
}

export interface FakeApiOptions {
  /** Without it plain HTTP/1.1. Clients may show a certificate. */
  readonly tls?: 'h2' | 'http/1.1'
  /** Shared by several servers of one cluster. */
  readonly objects?: FakeObjects
  readonly maxConcurrentStreams?: number
}

interface OpenWatch {
  readonly address: Address
  readonly parameters: URLSearchParams
  readonly response: ServerResponse
}

/** PEM text of the certificate that the server shows; valid for localhost and 127.0.0.1, and its own authority. */
export const fakeApiCertificate = readFileSync(join(import.meta.dirname, 'kubernetes-api.cert.pem'), 'utf8')
/** A client may show the same certificate, common name `localhost`. */
export const fakeApiKey = readFileSync(join(import.meta.dirname, 'kubernetes-api.key.pem'), 'utf8')

export class FakeKubernetesApi implements AsyncDisposable {
  readonly objects: FakeObjects
  /** Every request but the probes of `/version`, in the order in which they came. */
  readonly requests: FakeRequest[] = []
  /** In the order in which they came. */
  readonly changes: FakeChange[] = []
  /** What a change is answered with: its body and status 200 when undefined. */
  onChange: (
    change: FakeChange,
  ) => Fault | { readonly kind: 'object'; readonly status: number; readonly object: object } | undefined = () =>
    undefined
  /** How a watch from a forgotten version is refused. */
  gone: 'status' | 'event' = 'status'
  /** The server shows the cluster as it was so many changes ago. */
  behind = 0
  /** Asked for each request, before the faults that `fail` planned. */
  onRequest: (request: FakeRequest) => Fault | undefined = () => undefined
  /** When set, another Authorization is refused with 401. */
  authorization: string | undefined
  readonly #server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<Http2Session>()
  readonly #watches = new Set<OpenWatch>()
  readonly #waiting = new Set<() => void>()
  readonly #planned: { readonly fault: Fault; readonly verb: string | undefined; left: number }[] = []
  #unwatch: () => void

  private constructor({ tls, objects = new FakeObjects(), maxConcurrentStreams = 250 }: FakeApiOptions) {
    this.objects = objects
    this.#unwatch = objects.watch(change => this.#publish(change))
    const handle = (request: IncomingMessage, response: ServerResponse): void => this.#handle(request, response)
    const secrets = { cert: fakeApiCertificate, key: fakeApiKey, ca: fakeApiCertificate, requestCert: true }
    if (tls === 'h2') {
      this.#server = createSecureServer(
        { ...secrets, rejectUnauthorized: false, settings: { maxConcurrentStreams } },
        // Node's compatibility API: other classes with the same calls, as far as they are used here.
        (request, response) => handle(request as unknown as IncomingMessage, response as unknown as ServerResponse),
      )
    } else {
      this.#server =
        tls === undefined ? createServer(handle) : createTlsServer({ ...secrets, rejectUnauthorized: false }, handle)
    }
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      this.#look()
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#look()
      })
    })
    this.#server.on('session', (session: Http2Session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  static async start(options: FakeApiOptions = {}): Promise<FakeKubernetesApi> {
    const api = new FakeKubernetesApi(options)
    await api.listen(0)
    return api
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get lists(): number {
    return this.requests.filter(({ verb }) => verb === 'list').length
  }

  /** Watches asked for since the start. */
  get watches(): number {
    return this.requests.filter(({ verb }) => verb === 'watch').length
  }

  get openWatches(): number {
    return this.#watches.size
  }

  get sockets(): number {
    return this.#sockets.size
  }

  put(path: string, object: FakeObject): string {
    return this.objects.put(path, object)
  }

  remove(path: string, name: string): void {
    this.objects.remove(path, name)
  }

  /** The next requests of this verb, or any, meet the fault; without end when `times` is absent. */
  fail(
    fault: Fault,
    { verb, times = Number.POSITIVE_INFINITY }: { verb?: FakeRequest['verb']; times?: number } = {},
  ): void {
    this.#planned.push({ fault, verb, left: times })
  }

  /** Forgets the planned faults. */
  heal(): void {
    this.#planned.length = 0
  }

  /** Resolves once the condition holds; it is looked at after whatever happens here. The test's limit ends a wait in vain. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#waiting.add(resolve))
  }

  /** Sends every open watch a bookmark of where the server is. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.#revision) }
    for (const watch of this.#watches) send(watch, 'BOOKMARK', { metadata })
  }

  /** Sends every open watch this text as it is. */
  sendText(text: string): void {
    for (const { response } of this.#watches) response.write(text)
  }

  /** Ends every open watch as a server does when its time is over. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end()
    this.#watches.clear()
  }

  /** Cuts every connection without a word. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** HTTP/2 only: no new request may begin on the connections, watches go on. */
  goAway(): void {
    for (const session of this.#sessions) session.goaway(0)
  }

  /** The server is gone, connections and all; `listen` brings it back at the same port. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cutConnections()
    await closed
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwatch()
    if (this.#server.listening) await this.stop()
  }

  get #revision(): number {
    return this.objects.revision - this.behind
  }

  #look(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }

  #handle(message: IncomingMessage, response: ServerResponse): void {
    const url = new URL(message.url ?? '/', 'http://localhost')
    response.on('error', () => response.destroy())
    if (url.pathname === '/version') {
      respond(response, 200, { gitVersion: 'v1.36.3' })
      return
    }
    if (message.method !== 'GET') {
      void this.#change(message, response)
      return
    }
    const request = describeRequest(message, url)
    this.requests.push(request)
    const fault = this.#faultOf(request)
    if (fault === undefined || fault.kind === 'silent') this.#answer(request, response, fault !== undefined)
    else misbehave(fault, response)
    this.#look()
  }

  async #change(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    const { authorization, 'content-type': contentType } = message.headers
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const change = { method: message.method ?? '', path: message.url ?? '', contentType, authorization, body }
    this.changes.push(change)
    const isKnown = this.authorization === undefined || authorization === this.authorization
    const answer = isKnown ? this.onChange(change) : ({ kind: 'status', status: 401 } as const)
    if (answer === undefined || answer.kind === 'silent') respond(response, 200, body)
    else if (answer.kind === 'object') respond(response, answer.status, answer.object)
    else misbehave(answer, response)
    this.#look()
  }

  #faultOf(request: FakeRequest): Fault | undefined {
    if (this.authorization !== undefined && request.authorization !== this.authorization)
      return { kind: 'status', status: 401 }
    const own = this.onRequest(request)
    if (own !== undefined) return own
    const planned = this.#planned.find(({ verb, left }) => left > 0 && (verb ?? request.verb) === request.verb)
    if (planned !== undefined) planned.left--
    return planned?.fault
  }

  #answer(request: FakeRequest, response: ServerResponse, isSilent: boolean): void {
    const address = parseAddress(request.path)
    if (request.verb === 'watch') this.#watch(address, request.parameters, response, isSilent)
    else if (request.verb === 'list') this.#list(address, request.parameters, response)
    else {
      const found = this.objects.at(address, this.#revision).find(({ metadata }) => metadata.name === address.name)
      if (found === undefined) respond(response, 404, statusObject(404))
      else respond(response, 200, found)
    }
  }

  #list(address: Address, parameters: URLSearchParams, response: ServerResponse): void {
    const token = parameters.get('continue')
    const [revision = 0, offset = 0] = token === null ? [this.#revision, 0] : token.split('.').map(Number)
    if (revision < this.objects.compactedTo) {
      respond(response, 410, statusObject(410))
      return
    }
    const all = this.objects.at(address, revision).filter(object => selectorMatches(parameters, object))
    const limit = Number(parameters.get('limit') ?? all.length)
    const items = all.slice(offset, offset + limit)
    const more = offset + limit < all.length ? { continue: `${revision}.${offset + limit}` } : {}
    respond(response, 200, { kind: 'List', metadata: { resourceVersion: String(revision), ...more }, items })
  }

  #watch(address: Address, parameters: URLSearchParams, response: ServerResponse, isSilent: boolean): void {
    const from = Number(parameters.get('resourceVersion'))
    if (from < this.objects.compactedTo) {
      if (this.gone === 'status') respond(response, 410, statusObject(410))
      else misbehave({ kind: 'text', text: errorLine(410), ending: 'end' }, response)
      return
    }
    const watch = { address, parameters, response }
    this.#watches.add(watch)
    response.once('close', () => {
      this.#watches.delete(watch)
      this.#look()
    })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    if (isSilent) return
    for (const change of this.objects.since(address, from)) if (change.revision <= this.#revision) tell(watch, change)
  }

  #publish(change: Change): void {
    if (this.behind > 0) return
    for (const watch of this.#watches) if (isOf(watch.address, change)) tell(watch, change)
  }
}

/** The line with which a server ends a watch. */
export function errorLine(code: number): string {
  return `${JSON.stringify({ type: 'ERROR', object: statusObject(code) })}\n`
}

function describeRequest(message: IncomingMessage, url: URL): FakeRequest {
  const { name } = parseAddress(url.pathname)
  const isWatch = ['true', '1'].includes(url.searchParams.get('watch') ?? '')
  const { socket } = message
  const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined
  const commonName = certificate?.subject?.CN
  return {
    verb: isWatch ? 'watch' : name === undefined ? 'list' : 'get',
    path: url.pathname,
    parameters: url.searchParams,
    httpVersion: message.httpVersion,
    authorization: message.headers.authorization,
    certificate: Array.isArray(commonName) ? commonName[0] : commonName,
  }
}

function misbehave(fault: Exclude<Fault, { kind: 'silent' }>, response: ServerResponse): void {
  if (fault.kind === 'hang') return
  if (fault.kind === 'cut') cut(response)
  else if (fault.kind === 'status') {
    const { status, retryAfterSeconds } = fault
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds))
    respond(response, status, statusObject(status))
  } else {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(fault.text)
    if (fault.ending === 'end') response.end()
    else if (fault.ending === 'cut') cut(response)
  }
}

function cut(response: ServerResponse): void {
  if (isHttp2(response)) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.socket?.destroySoon()
}

function isHttp2(response: unknown): response is Http2ServerResponse {
  return response instanceof Http2ServerResponse
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function statusObject(code: number): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `made to fail with ${code}`,
    code,
  }
}

/** What a change is to a watch depends on whether its selector matched before and matches now. */
function tell(watch: OpenWatch, { object, before, isRemoved }: Change): void {
  const matched = before !== undefined && selectorMatches(watch.parameters, before)
  const matches = !isRemoved && selectorMatches(watch.parameters, object)
  if (matches) send(watch, matched ? 'MODIFIED' : 'ADDED', object)
  else if (matched) send(watch, 'DELETED', object)
}

function send({ response }: OpenWatch, type: string, object: unknown): void {
  response.write(`${JSON.stringify({ type, object })}\n`)
}
