// How one Consul agent is reached, and what is counted of it. Knows nothing of configuration files.
import { isIP } from 'node:net'
import type { Clock, Random } from '../../watch/clock.ts'

/** Texts of PEM, not paths. */
export interface ConsulTls {
  /** The authorities that are trusted; the system's when absent. */
  readonly trustCerts?: readonly string[]
  /** The name that the agent's certificate must bear; the host when absent. */
  readonly commonName?: string
  /** Trusts any certificate. */
  readonly disableValidation?: boolean
  /** What we show of ourselves; `cert` may hold intermediates. */
  readonly clientAuth?: { readonly cert: string; readonly key: string }
}

/** Who may answer: `default` is the leader, `consistent` the leader once it is sure that it still is, `stale` any server. */
export type ConsistencyMode = 'default' | 'stale' | 'consistent'

/** Why a request did not serve: `unreachable` is one for which no connection could be made. */
export type ConsulFailure = 'unreachable' | 'refused' | 'connection' | 'deadline' | 'status' | 'malformed' | 'stale'

/** What a metric may count; each is called at once and must not throw. */
export interface ConsulEvents {
  /** A request of a followed query is sent. */
  readonly onRequest?: () => void
  /** Of a request, or of the probe that takes the place of all requests while the agent is away. */
  readonly onFailure?: (reason: ConsulFailure) => void
  /** A slow re-read found what the blocking query before it had not told. */
  readonly onDrift?: () => void
  /** The agent refused connections or answered 429: at most `limit` requests are sent at once. A burst is told of once. */
  readonly onLimit?: (limit: number) => void
}

export interface ConsulAgentOptions {
  readonly host: string
  readonly port: number
  /** Sent as X-Consul-Token. */
  readonly token?: string
  readonly tls?: ConsulTls
  /** `default` when absent. */
  readonly consistencyMode?: ConsistencyMode
  /**
   * Connections for followed queries; two more are kept for plain calls. 180 when absent, so that an agent with its own
   * default of 200 for each client address has room for others there.
   */
  readonly maxConnections?: number
  /** The shortest time from one request of a followed query to its next, after two at once, in milliseconds; 250 when absent. */
  readonly minSpacingMs?: number
  /**
   * The same while the answers bring news: then it is four times the work that the last one made, between this and
   * `minSpacingMs`, in milliseconds; `minSpacingMs` when absent.
   */
  readonly newsSpacingMs?: number
  /** A longer answer is refused; 32 MiB when absent. */
  readonly maxBodyBytes?: number
  /** With `stale`: a server that last heard from its leader longer ago is not believed, in milliseconds; 10,000 when absent. */
  readonly maxStaleMs?: number
  readonly clock: Clock
  readonly random: Random
  readonly events?: ConsulEvents
}

export const defaultMaxConnections = 180
export const defaultMinSpacingMs = 250
export const defaultMaxBodyBytes = 32 * 1024 * 1024
export const defaultMaxStaleMs = 10_000

/** The same as Node's TLS takes it. */
export function tlsSettings(tls: ConsulTls, host: string) {
  const servername = tls.commonName ?? (isIP(host) === 0 ? host : undefined)
  return {
    rejectUnauthorized: tls.disableValidation !== true,
    ...(servername !== undefined && { servername }),
    ...(tls.trustCerts !== undefined && { ca: [...tls.trustCerts] }),
    ...(tls.clientAuth !== undefined && { cert: tls.clientAuth.cert, key: tls.clientAuth.key }),
  }
}
