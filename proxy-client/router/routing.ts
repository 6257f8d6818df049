// What all requests of a router share, and what those of one of its listeners share. No request changes any of it but counts.
import type { Log } from '../../runtime/log.ts'
import type { Random } from '../../watch/clock.ts'
import type { BindingCache } from '../binding/binding-cache.ts'
import type { LocalDtab } from '../context/local-dtab.ts'
import type { ForwardedValue } from '../exchange/forwarded.ts'
import type { TunnelEnd } from '../exchange/tunnel.ts'
import type { Fields } from '../http1/fields.ts'
import type { Identifier } from '../identifier/identifier.ts'
import type { RequestStats, RouterTelemetry } from '../telemetry/stats.ts'
import type { TimeoutQueue } from '../timeout/timeout-queue.ts'
import type { AttemptParts } from './attempt.ts'
import type { TunnelTerms } from './tunnels.ts'

export interface Routing extends AttemptParts {
  readonly namespace: string
  readonly identify: Identifier
  readonly readDtab: (fields: Fields) => LocalDtab
  readonly bindings: BindingCache
  readonly bindingTimeoutMs: number
  /** What a client is told when time ran out. */
  readonly timeoutStatus: 503 | 504
  /** Bodies up to this size are kept so that the request can be sent again. */
  readonly maxReplayBytes: number
  readonly random: Random
  readonly nextRequestId: () => string
  readonly telemetry: RouterTelemetry
  readonly log: Log
  /** Why no naming server is connected, when none is. */
  readonly namingProblem: () => string | undefined
  /** Joins the sockets of a client and of an upstream until both are closed. */
  readonly openTunnel: (client: TunnelEnd, upstream: TunnelEnd, terms: TunnelTerms) => void
  /** Called once for each request when it is over. */
  readonly onOver: () => void
}

/** One listener, as its requests see it. */
export interface Entrance {
  readonly stats: RequestStats
  /** Whether what clients say of context, and what the proxy says of itself, is dropped. */
  readonly clearContext: boolean
  readonly maxCallDepth: number
  readonly forwarded: ForwardedValue | undefined
  readonly timestampHeader: string | undefined
  /** For tunnels through which nothing comes; absent for no limit. */
  readonly tunnelIdle: TimeoutQueue | undefined
}
