// What the gRPC services ask of the rest of the server: little enough to be had in another thread too.
import type { Interpreter } from '../../interpreters/interpreter.ts'
import type { Env } from '../../runtime/env.ts'
import type { ProxySource } from '../proxies.ts'
import type { ProxyRegistry } from '../push/proxy-registry.ts'
import type { Servers } from '../servers.ts'

export interface GrpcPorts extends Env {
  readonly interpreter: Pick<Interpreter, 'namespace' | 'bind' | 'replicas' | 'delegate'>
  readonly servers: Pick<Servers, 'selfId' | 'told' | 'streams'>
  /** Where streams say who is connected and what it has. */
  readonly proxies: ProxyRegistry
  /** The proxies of this server, over all its threads. */
  readonly ownProxies: ProxySource
  /** Aborted when the server begins to stop: streams end, new ones are refused. */
  readonly shutdown: AbortSignal
}
