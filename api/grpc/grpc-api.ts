// The gRPC port: every service, health and reflection on one server, from listen to a graceful stop. Knows the services by
// their contract only.
import { type Server, ServerCredentials, status } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoFile } from 'grpc-health-check'
import { protoFolder } from '../../proto/mesh-services.ts'
import { cannotListen } from '../../runtime/admin-server.ts'
import { createMeshServices } from '../mesh/mesh-services.ts'
import { gaugeConnections, reportConnections } from '../push/connection-metrics.ts'
import { Departures, type DeparturesOptions, departureDefaults } from '../push/departures.ts'
import { sessionOf } from '../push/http2-of-call.ts'
import { PushContext } from '../push/push-context.ts'
import type { SubscriptionLimitsOptions } from '../push/subscription-limits.ts'
import type { ConnectionsReport, PushStreams, StreamCounts } from '../push-streams.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import { createGrpcServer, type GrpcServerOptions, grpcServerDefaults } from './grpc-server.ts'
import type { GrpcService } from './grpc-service.ts'
import { createNamingCalls } from './naming-calls.ts'
import { createProxiesCalls } from './proxies-calls.ts'
import { type Refusal, refusing, withHeadersFirst } from './refusals.ts'
import { createServersCalls, type ServersCalls } from './servers-calls.ts'
import { SharedPort } from './shared-port.ts'
import { WatchContext } from './watch-context.ts'

export interface GrpcApiOptions extends Partial<GrpcServerOptions>, Partial<DeparturesOptions> {
  readonly limits?: Partial<SubscriptionLimitsOptions>
  /** How long a peer may take nothing while there is something for it; milliseconds. */
  readonly unsentDeadlineMs?: number
  /** How long close waits for peers to go before it cuts them off. */
  readonly drainMs?: number
}

/** Live counts, for tests and /state. */
export interface WatchCounts {
  readonly streams: number
  readonly subscriptions: number
}

export interface ListenAddress {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Whether other threads listen on the port too, each with a socket of its own. */
  readonly isShared?: boolean
}

export interface GrpcApi extends PushStreams {
  /** Resolves to the address in use; rejects when it cannot be had. */
  listen(address: ListenAddress): Promise<ListenAddress>
  /** What grpc.health.v1 says of the server and of its services; not serving until the first call. */
  setServing(isServing: boolean): void
  counts(): WatchCounts
  /** Servers that follow this one. */
  readonly followers: number
  /** Ends streams with UNAVAILABLE, waits for calls in progress, then cuts what is left. Harmless when called twice. */
  close(): Promise<void>
}

/** A gRPC API that is not listening yet; close it also when it never listened. */
export function createGrpcApi(ports: GrpcPorts, options: GrpcApiOptions = {}): GrpcApi {
  return new GrpcApiServer(ports, options)
}

const stopping: Refusal = { code: status.UNAVAILABLE, details: 'The server is stopping.' }

class GrpcApiServer implements GrpcApi {
  readonly #ports: GrpcPorts
  readonly #server: Server
  readonly #push: PushContext
  readonly #context: WatchContext
  readonly #health = new HealthImplementation()
  readonly #servers: ServersCalls
  readonly #services: readonly GrpcService[]
  readonly #departures: Departures
  readonly #streamsLimit: number
  readonly #refusedStreams: { inc(): void }
  readonly #ungauge: () => void
  readonly #drainMs: number
  /** `host:port`, once it listens alone. */
  #boundTo: string | undefined
  #sharedPort: SharedPort | undefined
  #isServing: boolean | undefined
  #closed: Promise<void> | undefined

  constructor(ports: GrpcPorts, options: GrpcApiOptions) {
    this.#ports = ports
    this.#drainMs = options.drainMs ?? 5_000
    this.#push = new PushContext(ports, {
      limits: options.limits,
      unsentDeadlineMs: options.unsentDeadlineMs ?? 10_000,
    })
    const serverOptions = { ...grpcServerDefaults, ...options }
    const { connections } = this.#push
    this.#context = new WatchContext(ports, this.#push)
    this.#servers = createServersCalls(ports)
    this.#services = [
      createNamingCalls(this.#context),
      this.#servers,
      createProxiesCalls(ports),
      ...createMeshServices(ports, this.#push),
    ]
    this.#departures = new Departures(ports, connections, { ...departureDefaults, ...options })
    this.#streamsLimit = serverOptions.maxStreamsPerConnection
    this.#refusedStreams = ports.metrics.counter({
      name: 'nameplane_grpc_streams_refused_total',
      help: 'Streams that were refused because their connection had as many as it may.',
    })
    this.#ungauge = gaugeConnections(ports.metrics, { connections, streamsLimit: this.#streamsLimit })
    this.#server = createGrpcServer(serverOptions, (session, socket) => connections.of(session, socket))
    for (const { definition, handlers, headersFirst } of this.#services) {
      const guarded = refusing(handlers, (call, isStream) => this.#refusalOf(call, isStream))
      this.#server.addService(definition, headersFirst ? withHeadersFirst(guarded) : guarded)
    }
    this.setServing(false)
    this.#health.addToServer(this.#server)
    reflectionOf(this.#services).addToServer(this.#server)
    ports.shutdown.addEventListener('abort', () => this.#refuseAll(), { once: true })
  }

  async listen({ host, port, isShared }: ListenAddress): Promise<ListenAddress> {
    if (isShared) {
      this.#sharedPort = new SharedPort(this.#server)
      return await this.#sharedPort.listen({ host, port })
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const authority = host.includes(':') ? `[${host}]` : host
    this.#server.bindAsync(`${authority}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(cannotListen(error, { host, port }, 'gRPC')),
    )
    const bound = await promise
    this.#boundTo = `${authority}:${bound}`
    return { host, port: bound }
  }

  setServing(wanted: boolean): void {
    const isServing = wanted && !this.#isStopping
    if (isServing === this.#isServing) return
    this.#isServing = isServing
    for (const service of ['', ...this.#services.map(({ name }) => name)])
      this.#health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING')
  }

  get followers(): number {
    return this.#servers.followers
  }

  streams(): StreamCounts {
    return { open: this.#push.connections.streams, leaving: this.#departures.leaving }
  }

  shed(count: number): void {
    this.#departures.shed(count)
  }

  connections(): ConnectionsReport {
    return reportConnections(this.#push.connections, this.#streamsLimit)
  }

  counts(): WatchCounts {
    const { streams, subscriptions } = this.#context
    return { streams, subscriptions }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#refuseAll()
    this.#push.warm.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    // Not forceShutdown: without channelz, grpc-js does not know its connections there and cuts none.
    if (this.#boundTo !== undefined) this.#server.drain(this.#boundTo, this.#drainMs)
    // grpc-js waits for its own listeners only.
    const drained = this.#sharedPort?.drain(this.#drainMs)
    this.#server.tryShutdown(error => {
      if (error !== undefined) this.#ports.log.debug({ err: error }, 'The gRPC server was not running.')
      resolve()
    })
    await drained
    await promise
    this.#departures.close()
    this.#ungauge()
  }

  get #isStopping(): boolean {
    return this.#ports.shutdown.aborted || this.#closed !== undefined
  }

  /** Whoever asks for health hears of the end before any stream ends. */
  #refuseAll(): void {
    this.setServing(false)
    this.#push.endStreams(stopping.code, stopping.details)
    for (const service of this.#services) service.end?.(stopping.code, stopping.details)
  }

  #refusalOf(call: object, isStream: boolean): Refusal | undefined {
    if (this.#isStopping) return stopping
    return isStream ? this.#tooManyStreams(call) : undefined
  }

  #tooManyStreams(call: object): Refusal | undefined {
    const session = sessionOf(call)
    if (session === undefined || this.#push.connections.of(session).streams.size < this.#streamsLimit) return undefined
    this.#refusedStreams.inc()
    const details = `This connection has ${this.#streamsLimit} streams open, which is its limit.`
    return { code: status.RESOURCE_EXHAUSTED, details }
  }
}

/** By its files: reading them takes longer than all else a server is made of, and it holds nothing of a server. */
const reflections = new Map<string, ReflectionService>()

function reflectionOf(services: readonly GrpcService[]): ReflectionService {
  const files = [...new Set([...services.map(({ protoFile }) => protoFile), healthProtoFile])]
  const known = reflections.get(files.join())
  if (known !== undefined) return known
  const made = new ReflectionService(loadSync(files, { keepCase: true, includeDirs: [protoFolder] }))
  reflections.set(files.join(), made)
  return made
}
