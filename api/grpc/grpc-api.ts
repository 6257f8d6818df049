// The gRPC port: Naming, Servers, health and reflection on one server, from listen to a graceful stop.
import { type Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoFile } from 'grpc-health-check'
import { NamingError } from '../../naming/errors.ts'
import { namingProtoFile, namingService, namingServiceName } from '../../proto/naming-service.ts'
import { serversProtoFile, serversService, serversServiceName } from '../../proto/servers-service.ts'
import { encodeResolveResponse } from '../../proto/updates.ts'
import { decodeResolveRequest } from '../../proto/watch-requests.ts'
import { cannotListen } from '../../runtime/admin-server.ts'
import { version } from '../../runtime/version.ts'
import { PushContext } from '../push/push-context.ts'
import type { SubscriptionLimitsOptions } from '../push/subscription-limits.ts'
import type { GrpcPorts } from './grpc-ports.ts'
import { createGrpcServer, type GrpcServerOptions, grpcServerDefaults } from './grpc-server.ts'
import { resolveName } from './resolve.ts'
import { type FollowStream, ServersSession } from './servers-session.ts'
import { WatchContext } from './watch-context.ts'
import { type WatchCall, WatchSession } from './watch-session.ts'

export interface GrpcApiOptions extends Partial<GrpcServerOptions> {
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
}

export interface GrpcApi {
  /** Resolves to the address in use; rejects when it cannot be had. */
  listen(address: ListenAddress): Promise<ListenAddress>
  /** What grpc.health.v1 says of the server and of Naming; not serving until the first call. */
  setServing(isServing: boolean): void
  counts(): WatchCounts
  /** Servers that follow this one. */
  readonly followers: number
  /** Ends Watch streams with UNAVAILABLE, waits for calls in progress, then cuts what is left. Harmless when called twice. */
  close(): Promise<void>
}

/** A gRPC API that is not listening yet; close it also when it never listened. */
export function createGrpcApi(ports: GrpcPorts, options: GrpcApiOptions = {}): GrpcApi {
  return new GrpcApiServer(ports, options)
}

/** Servers that may follow this one; far more than a store has. */
const maxFollowers = 256

class GrpcApiServer implements GrpcApi {
  readonly #ports: GrpcPorts
  readonly #server: Server
  readonly #push: PushContext
  readonly #context: WatchContext
  readonly #health = new HealthImplementation()
  readonly #sessions = new Set<WatchSession>()
  readonly #followers = new Set<ServersSession>()
  readonly #drainMs: number
  /** `host:port`, once it listens. */
  #boundTo: string | undefined
  #isServing: boolean | undefined
  #closed: Promise<void> | undefined

  constructor(ports: GrpcPorts, options: GrpcApiOptions) {
    this.#ports = ports
    this.#drainMs = options.drainMs ?? 5_000
    this.#push = new PushContext(ports, {
      limits: { ...defaultLimits, ...options.limits },
      unsentDeadlineMs: options.unsentDeadlineMs ?? 10_000,
    })
    this.#context = new WatchContext(ports, this.#push)
    this.#server = createGrpcServer({ ...grpcServerDefaults, ...options })
    this.#server.addService(namingService, {
      Watch: (stream: WatchCall) => this.#watch(stream),
      Resolve: (call: UnaryCall, answer: sendUnaryData<Buffer>) => void this.#resolve(call, answer),
    })
    this.#server.addService(serversService, { Follow: (stream: FollowStream) => this.#follow(stream) })
    this.setServing(false)
    this.#health.addToServer(this.#server)
    createReflection().addToServer(this.#server)
    ports.shutdown.addEventListener('abort', () => this.#refuseAll(), { once: true })
  }

  async listen({ host, port }: ListenAddress): Promise<ListenAddress> {
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
    for (const service of ['', namingServiceName, serversServiceName])
      this.#health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING')
  }

  get followers(): number {
    return this.#followers.size
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
    const { promise, resolve } = Promise.withResolvers<void>()
    // Not forceShutdown: without channelz, grpc-js does not know its connections there and cuts none.
    if (this.#boundTo !== undefined) this.#server.drain(this.#boundTo, this.#drainMs)
    this.#server.tryShutdown(error => {
      if (error !== undefined) this.#ports.log.debug({ err: error }, 'The gRPC server was not running.')
      resolve()
    })
    await promise
  }

  get #isStopping(): boolean {
    return this.#ports.shutdown.aborted || this.#closed !== undefined
  }

  /** Whoever asks for health hears of the end before any stream ends. */
  #refuseAll(): void {
    this.setServing(false)
    for (const session of [...this.#sessions, ...this.#followers]) endForShutdown(session)
  }

  #watch(stream: WatchCall): void {
    const session = new WatchSession(stream, this.#context)
    this.#sessions.add(session)
    stream.on('close', () => this.#sessions.delete(session))
    if (this.#isStopping) endForShutdown(session)
  }

  #follow(stream: FollowStream): void {
    const { servers, clock, log } = this.#ports
    const session = new ServersSession(stream, { selfId: servers.selfId, version, told: servers.told, clock, log })
    this.#followers.add(session)
    stream.on('close', () => this.#followers.delete(session))
    if (this.#isStopping) endForShutdown(session)
    else if (this.#followers.size > maxFollowers)
      session.end(status.RESOURCE_EXHAUSTED, `This server is followed by ${maxFollowers} others already.`)
  }

  async #resolve(call: UnaryCall, answer: sendUnaryData<Buffer>): Promise<void> {
    const cancelled = new AbortController()
    call.on('cancelled', () => cancelled.abort())
    try {
      const request = decodeResolveRequest(call.request)
      const { tree, replicas } = await resolveName(this.#ports, request, cancelled.signal)
      answer(null, encodeResolveResponse(tree, replicas))
    } catch (error) {
      answer(this.#statusOf(error))
    }
  }

  #statusOf(error: unknown): { code: status; details: string } {
    if (error instanceof RangeError)
      return { code: status.INVALID_ARGUMENT, details: `The request does not decode: ${error.message}` }
    const known = NamingError.from(error)
    if (known.code === 'internal') this.#ports.log.error({ err: error }, 'Resolve failed unexpectedly.')
    return { code: known.grpcStatus, details: known.message }
  }
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>

function endForShutdown(session: WatchSession | ServersSession): void {
  session.end(status.UNAVAILABLE, 'The server is stopping.')
}

const defaultLimits: SubscriptionLimitsOptions = {
  perStream: 100_000,
  perClient: 200_000,
  perNamespace: 1_000_000,
  perServer: 1_000_000,
}

function createReflection(): ReflectionService {
  const options = { keepCase: true }
  const files = [namingProtoFile, serversProtoFile, healthProtoFile]
  return new ReflectionService(Object.assign({}, ...files.map(file => loadSync(file, options))))
}
