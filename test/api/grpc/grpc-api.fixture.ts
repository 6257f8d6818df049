// A gRPC API on loopback over a fake interpreter, and a bare client stream that records what comes.
import { once } from 'node:events'
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import { createGrpcApi, type GrpcApi, type GrpcApiOptions } from '../../../api/grpc/grpc-api.ts'
import type { GrpcPorts } from '../../../api/grpc/grpc-ports.ts'
import { ProxyRegistry } from '../../../api/push/proxy-registry.ts'
import { namingService } from '../../../proto/naming-service.ts'
import type { ReceivedUpdate } from '../../../proto/updates.ts'
import { type RequestPart, WatchRequestWriter } from '../../../proto/watch-requests.ts'
import { decodeWatchResponse, type Move } from '../../../proto/watch-responses.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import type { SharedServers } from '../../../server/servers/shared-servers.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Kernel } from '../../../watch/cell.ts'
import { type Clock, systemClock, systemRandom } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeInterpreter, path } from '../../fakes/interpreter.fake.ts'
import { loneServer } from '../../fakes/servers.fake.ts'

export interface TestServer {
  readonly kernel: Kernel
  readonly interpreter: FakeInterpreter
  readonly api: GrpcApi
  readonly metrics: Metrics
  readonly servers: SharedServers
  readonly proxies: ProxyRegistry
  readonly port: number
  readonly address: string
  readonly shutdown: AbortController
  close(): Promise<void>
}

export function testKernel(clock: Clock = systemClock): Kernel {
  return createKernel({
    clock,
    onError: (error, where) => {
      throw new Error(`in ${where}`, { cause: error })
    },
  })
}

export interface TestServerOptions extends GrpcApiOptions {
  readonly port?: number
  readonly isShared?: boolean
  readonly like?: TestServer
  readonly clock?: Clock
}

/** Listens on a free port, or on the one given; `kernel` and `interpreter` may be those of another test server. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const kernel = options.like?.kernel ?? testKernel(options.clock)
  const interpreter = options.like?.interpreter ?? new FakeInterpreter(kernel, testKernel())
  const metrics = createMetrics()
  const shutdown = new AbortController()
  const env = { kernel, clock: options.clock ?? systemClock, random: systemRandom, log: silentLog, metrics }
  const store = createMemoryStore(env)
  const servers = loneServer(env, store)
  const proxies = new ProxyRegistry({ ...env, namespace: ns => interpreter.namespace(ns), server: servers.selfId })
  const ports: GrpcPorts = { ...env, interpreter, servers, proxies, ownProxies: proxies, shutdown: shutdown.signal }
  const api = createGrpcApi(ports, options)
  const { port } = await api.listen({ host: '127.0.0.1', port: options.port ?? 0, isShared: options.isShared ?? false })
  const address = `127.0.0.1:${port}`
  return { kernel, interpreter, api, metrics, servers, proxies, port, address, shutdown, close: () => api.close() }
}

/** Resolves once `isTrue`, asking at each turn of the event loop; the test's own time limit is the only one. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setImmediate(resolve))
}

/** A Watch stream without the client library. */
export class RawStream {
  readonly updates: ReceivedUpdate[] = []
  /** The messages, each as the sizes of what it held. */
  readonly messages: { readonly bytes: number; readonly updates: number }[] = []
  /** What it was told of moving. */
  readonly moves: Move[] = []
  readonly ended: Promise<StatusObject>
  readonly #client: Client
  readonly #stream: ClientDuplexStream<Uint8Array, Buffer>
  #nextKey = 1

  constructor(address: string, client = new Client(address, credentials.createInsecure())) {
    const { path: method, requestSerialize, responseDeserialize } = namingService.Watch
    this.#client = client
    this.#stream = client.makeBidiStreamRequest<Uint8Array, Buffer>(
      method,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
    )
    this.#stream.on('data', (message: Buffer) => {
      const { updates, move } = decodeWatchResponse(message)
      this.messages.push({ bytes: message.length, updates: updates.length })
      if (move !== undefined) this.moves.push(move)
      this.updates.push(...updates)
    })
    const { promise, resolve } = Promise.withResolvers<StatusObject>()
    this.ended = promise
    this.#stream.on('error', () => {})
    this.#stream.on('status', resolve)
  }

  /** Resolves when the server has accepted the stream. */
  async opened(): Promise<void> {
    await once(this.#stream, 'metadata')
  }

  send(...parts: readonly RequestPart[]): void {
    const writer = new WatchRequestWriter()
    for (const part of parts) writer.add(part)
    this.#stream.write(writer.finish())
  }

  sendBytes(bytes: Uint8Array): void {
    this.#stream.write(bytes)
  }

  /** Subscribes to names such as `default/svc/web`, optionally with the hash of what is held; gives the keys. */
  subscribe(names: readonly string[], hash = ''): readonly number[] {
    const parts = names.map((name): RequestPart => {
      const slash = name.indexOf('/')
      const wireName = { namespace: name.slice(0, slash), path: path(name.slice(slash)), dtab: '' }
      return { kind: 'subscribe', key: this.#nextKey++, name: wireName, hash }
    })
    this.send(...parts)
    return parts.flatMap(part => (part.kind === 'subscribe' ? [part.key] : []))
  }

  /** Stops taking messages off the wire until resume. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Resolves when as many updates as that have come. */
  async received(count: number): Promise<void> {
    while (this.updates.length < count) await once(this.#stream, 'data')
  }

  halfClose(): void {
    this.#stream.end()
  }

  cancel(): void {
    this.#stream.cancel()
  }

  close(): void {
    this.#stream.cancel()
    this.#client.close()
  }
}

/** One line per update: `1 ok`, `/#/fs/web pending`, `2 same stale`. */
export function shortForm(update: ReceivedUpdate): string {
  const resource = update.kind === 'tree' ? `${update.key}` : `/${update.id.join('/')}`
  const { state } = update
  if (state.kind === 'failed') return `${resource} failed: ${codeOf(state.error)}`
  const stale = 'stale' in state && state.stale !== undefined ? ' stale' : ''
  return `${resource} ${state.kind}${stale}`
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
