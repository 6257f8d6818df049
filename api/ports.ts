// What the APIs may ask of the rest of the server: the contracts, and nothing behind them.
import type { Interpreter } from '../interpreters/interpreter.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Store } from '../storage/store.ts'
import type { Kernel } from '../watch/cell.ts'
import type { Clock, Random } from '../watch/clock.ts'
import type { Proxies } from './proxies.ts'
import type { Servers } from './servers.ts'
import type { Sources } from './sources.ts'

export interface ApiPorts {
  readonly store: Store
  readonly interpreter: Interpreter
  readonly sources: Sources
  readonly servers: Servers
  /** The proxies of all servers. */
  readonly fleet: Proxies
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  /** Aborted when the server begins to stop: streams end, new requests are refused. */
  readonly shutdown: AbortSignal
}
