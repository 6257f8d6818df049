// A real proxy on loopback whose names a test sets by hand, real upstreams behind it, and a plain client in front.
import { Agent, createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { z } from 'zod'
import { proxyConfig } from '../../proxy-client/config.ts'
import { type RunningProxy, startProxy } from '../../proxy-client/proxy.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics, type Metrics } from '../../runtime/metrics.ts'
import type { Kernel } from '../../watch/cell.ts'
import { type Clock, type Random, systemClock } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeNaming } from './naming.fake.ts'
import { seededRandom } from './seeded-random.fixture.ts'

export interface TestProxy {
  readonly proxy: RunningProxy
  readonly naming: FakeNaming
  readonly kernel: Kernel
  readonly metrics: Metrics
  readonly port: number
  readonly adminPort: number
  /** The page /metrics. */
  scrape(): Promise<string>
}

export interface TestProxyOptions {
  /** Laid over one router on a free port. */
  readonly router?: Partial<z.input<typeof proxyConfig>['routers'] extends (infer R)[] | undefined ? R : never>
  readonly clock?: Clock
  readonly random?: Random
}

/** Closed when the test ends. */
export async function startTestProxy({
  router = {},
  clock = systemClock,
  random,
}: TestProxyOptions = {}): Promise<TestProxy> {
  const metrics = createMetrics()
  const kernel = createKernel({
    clock: systemClock,
    onError: error => {
      throw error
    },
  })
  const naming = new FakeNaming(kernel)
  const config = proxyConfig.parse({ admin: { port: 0 }, routers: [{ servers: [{ port: 0 }], ...router }] })
  const env = { kernel, clock, random: random ?? seededRandom(3), log: silentLog, metrics }
  const proxy = await startProxy(config, env, () => naming)
  onTestFinished(() => proxy.close(0))
  const port = proxy.routers[config.routers[0]?.label ?? '']?.[0]?.port ?? 0
  const adminPort = proxy.admin.port
  const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return { proxy, naming, kernel, metrics, port, adminPort, scrape }
}

export interface TestUpstream {
  readonly port: number
  readonly server: Server
  /** Connections that were opened so far. */
  readonly connections: () => number
  /** Connections that are open now. */
  readonly open: () => number
  /** Requests that have come so far. */
  readonly requests: () => number
  /** Resolves once no connection is open. */
  allClosed(): Promise<void>
  /** Cuts every connection and stops listening. */
  stop(): Promise<void>
}

/** Hears what to close in the end. */
export type AtEnd = (close: () => unknown) => void

const atTestEnd: AtEnd = close =>
  onTestFinished(async () => {
    await close()
  })

/** Closed when the test ends, or as `atEnd` says. */
export async function startUpstream(listener: RequestListener, atEnd: AtEnd = atTestEnd): Promise<TestUpstream> {
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let connections = 0
  let requests = 0
  const server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    requests++
    listener(message, response)
  })
  server.on('connection', socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) for (const tell of waiting.splice(0)) tell()
    })
  })
  const allClosed = (): Promise<void> =>
    sockets.size === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const stop = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  atEnd(stop)
  const { port } = server.address() as AddressInfo // a TCP server has no other kind
  return {
    port,
    server,
    connections: () => connections,
    open: () => sockets.size,
    requests: () => requests,
    allClosed,
    stop,
  }
}

/** An upstream that answers each request with its name. */
export function startNamed(name: string, atEnd?: AtEnd): Promise<TestUpstream> {
  return startUpstream((message, response) => {
    message.resume()
    response.end(name)
  }, atEnd)
}

export interface TestRequest {
  readonly host?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
  readonly agent?: Agent
}

export interface TestResponse {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  readonly body: string
}

/** Connections are kept. Closed when the test ends. */
export function keepAliveAgent(maxSockets = 1, atEnd: AtEnd = atTestEnd): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets })
  atEnd(() => agent.destroy())
  return agent
}

/** One request; rejects when the response is not whole. */
export function send(port: number, options: TestRequest = {}): Promise<TestResponse> {
  const { host = 'web', method = 'GET', path = '/', headers = {}, body, agent } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method, path, headers: { host, ...headers }, agent: agent ?? false },
      response => void collect(response).then(resolve, reject),
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The message that l5d-err holds. */
export function errorOf({ headers }: TestResponse): string {
  return decodeURIComponent(String(headers['l5d-err'] ?? ''))
}

async function collect(response: IncomingMessage): Promise<TestResponse> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer) // no encoding is set
  const { statusCode = 0, headers, trailers } = response
  return { status: statusCode, headers, trailers, body: Buffer.concat(chunks).toString() }
}

/** Lets the event loop turn until a value has not changed for many turns. */
export async function settled(value: () => number): Promise<void> {
  let last = value()
  for (let quiet = 0; quiet < 500; quiet++) {
    await new Promise(setImmediate)
    if (value() === last) continue
    last = value()
    quiet = 0
  }
}
