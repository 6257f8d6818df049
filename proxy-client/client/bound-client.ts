// Everything for one bound id: its replica set, a balancer over it, and the connections to each endpoint.
import type { Path } from '../../naming/path.ts'
import { showPath } from '../../naming/path.ts'
import type { Metadata, ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Stale, State } from '../../watch/state.ts'
import type { Balancer } from '../balancer/balancer.ts'
import { Waiters } from '../cache/waiters.ts'
import type { Upstream } from '../pool/upstream.ts'
import type { RetryBudget } from '../retry/retry-budget.ts'
import type { ClientStats } from '../telemetry/stats.ts'
import type { TimeoutQueue } from '../timeout/timeout-queue.ts'

/** unknown: no replica set has come yet; failed: the server says why it has none; known: the set, perhaps empty, is in the balancer. */
export type ClientState =
  | { readonly kind: 'unknown'; readonly waitingFor?: string }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'known'; readonly exists: boolean }

/** What a client is made of, by the settings of its id. */
export interface ClientParts {
  readonly balancer: Balancer<Upstream>
  readonly requeueBudget: RetryBudget
  /** For one attempt; absent for no limit. */
  readonly attemptTimeouts: TimeoutQueue | undefined
  readonly attemptTimeoutMs: number | undefined
  readonly stats: ClientStats
}

export interface BoundClientOptions extends ClientParts {
  readonly id: Path
  readonly replicas: Cell<ReplicaSet>
  readonly clock: Clock
}

export class BoundClient {
  readonly id: Path
  readonly idText: string
  readonly balancer: Balancer<Upstream>
  readonly requeueBudget: RetryBudget
  readonly attemptTimeouts: TimeoutQueue | undefined
  readonly attemptTimeoutMs: number | undefined
  readonly stats: ClientStats
  /** Bindings that name this id now. */
  users = 0
  /** The Host that its endpoints are asked under, where the namer says so. */
  authority: string | undefined
  /** Since when and why the replica set is not confirmed, while it is not. */
  stale: Stale | undefined
  #state: ClientState = { kind: 'unknown' }
  readonly #waiters: Waiters
  readonly #unwatch: Unwatch

  constructor(options: BoundClientOptions) {
    this.id = options.id
    this.idText = showPath(options.id)
    this.balancer = options.balancer
    this.requeueBudget = options.requeueBudget
    this.attemptTimeouts = options.attemptTimeouts
    this.attemptTimeoutMs = options.attemptTimeoutMs
    this.stats = options.stats
    this.#waiters = new Waiters(options.clock)
    this.#unwatch = options.replicas.watch(state => this.#take(state))
  }

  get state(): ClientState {
    return this.#state
  }

  /** Whether a request waits for its endpoints. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  /** Open connections to all endpoints. */
  get connections(): number {
    let connections = 0
    for (const upstream of this.balancer.targets()) connections += upstream.connections
    return connections
  }

  /** Calls once the state is no longer unknown, or when `ms` milliseconds are over; not before it returns. */
  whenSettled(ms: number, run: () => void): Cancel {
    return this.#waiters.wait(ms, run)
  }

  /** Ends the watch; endpoints finish what they work on. */
  close(): void {
    this.#unwatch()
    this.balancer.close()
    this.#waiters.wake()
  }

  #take(state: State<ReplicaSet>): void {
    if (state.kind === 'ok') this.stale = state.stale
    if (state.kind === 'ok') this.#know(state.value)
    // A set that was known once is the last good one.
    else if (this.#state.kind !== 'known') this.#state = unsettledState(state)
    if (this.#state.kind !== 'unknown') this.#waiters.wake()
  }

  #know(replicas: ReplicaSet): void {
    this.balancer.update(replicas.kind === 'bound' ? replicas.endpoints : [])
    this.authority = replicas.kind === 'bound' ? authorityOf(replicas.metadata) : undefined
    this.#state = { kind: 'known', exists: replicas.kind === 'bound' }
  }
}

function unsettledState(state: Exclude<State<ReplicaSet>, { kind: 'ok' }>): ClientState {
  if (state.kind === 'failed') return { kind: 'failed', error: state.error }
  return state.waitingFor === undefined ? { kind: 'unknown' } : { kind: 'unknown', waitingFor: state.waitingFor }
}

/** What could not stand in a Host field does not count. */
const hostValue = /^[!-~]+$/

function authorityOf(metadata: Metadata | undefined): string | undefined {
  const authority = metadata?.authority
  return typeof authority === 'string' && hostValue.test(authority) ? authority : undefined
}
