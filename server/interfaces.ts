// The interfaces of a server: opened one after the other, closed together. Knows the APIs and what they ask for, no store.
import { createGrpcApi, type GrpcApi } from '../api/grpc/grpc-api.ts'
import { createHttpApi, type HttpApi } from '../api/http/http-api.ts'
import type { ApiPorts } from '../api/ports.ts'
import type { ProxyRegistry } from '../api/push/proxy-registry.ts'
import type { Log } from '../runtime/log.ts'
import type { GrpcInterface, Interface, ServerConfig } from './config.ts'
import type { GrpcStreams } from './grpc-streams.ts'
import { isLoopback } from './loopback.ts'
import type { JoinedProxies } from './proxies/joined-proxies.ts'
import type { Readiness } from './readiness.ts'

/** A listener that was bound. */
export interface Listening {
  readonly api: Interface['api'] | 'admin'
  readonly host: string
  readonly port: number
}

/** What the interfaces of a server have in common. */
export interface InterfaceParts {
  readonly ports: ApiPorts
  /** The proxies that are connected to this thread. */
  readonly proxies: ProxyRegistry
  /** The same with those of threads. */
  readonly ownProxies: JoinedProxies
  readonly streams: GrpcStreams
  readonly readiness: Readiness
  /** Each is added before it listens. */
  readonly opened: (HttpApi | GrpcApi)[]
  /** How long requests in progress may take when the server stops. */
  readonly drainMs: number
}

/** Listens; what was opened is in `opened` even when it cannot. */
export async function openInterface(config: Interface, parts: InterfaceParts): Promise<Listening> {
  const { api, ip, port } = config
  const { ports, opened, drainMs } = parts
  const server = api === 'http' ? await createHttpApi(ports, { closeGraceMs: drainMs }) : await openGrpc(config, parts)
  opened.push(server)
  const bound = await server.listen({ host: ip, port })
  return { api, host: ip, port: bound.port }
}

/** Health follows readiness, and ends with the stop. */
async function openGrpc(config: GrpcInterface, parts: InterfaceParts): Promise<GrpcApi> {
  const { streams, readiness } = parts
  const grpc = await createGrpc(config, parts)
  streams.add(grpc)
  readiness.whenReady(() => grpc.setServing(true))
  return grpc
}

/** In this thread, or in as many others as are configured: what these need is loaded only then. */
async function createGrpc(
  { maxConnectionAgeMs, limits, workers }: GrpcInterface,
  { ports, proxies, ownProxies, drainMs }: InterfaceParts,
): Promise<GrpcApi> {
  const { streamsPerConnection: maxStreamsPerConnection, subscriptionsPerStream: perStream, ...rest } = limits
  const options = { drainMs, maxConnectionAgeMs, maxStreamsPerConnection, limits: { perStream, ...rest } }
  if (workers === 1) return createGrpcApi({ ...ports, proxies, ownProxies }, options)
  const { createGrpcThreads } = await import('./workers/grpc-threads.ts')
  return createGrpcThreads(ports, ownProxies, { ...options, workers })
}

const maxDrainMs = 5_000

/** Half of what the whole stop may take. */
export function drainMsOf({ config }: { readonly config: ServerConfig }): number {
  return Math.min(maxDrainMs, config.admin.shutdownGraceMs / 2)
}

/** At the same time, for each may have to wait for its peers. */
export async function closeTogether(servers: readonly (HttpApi | GrpcApi)[]): Promise<void> {
  const results = await Promise.allSettled(servers.map(server => server.close()))
  const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, 'an interface did not close cleanly')
}

/** Says of each that others than this machine reach it. */
export function warnOpenListeners(listening: readonly Listening[], log: Log): void {
  for (const { api, host, port } of listening) {
    if (isLoopback(host)) continue
    log.warn(
      { api, host, port },
      `the ${api} listener is open to the network and has no login: anyone who reaches it can use it`,
    )
  }
}
