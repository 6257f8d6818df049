// Everything for one bound id: its replica set, a balancer over it, and the connections to each endpoint.
import type { Path } from '../../naming/path.ts'
import { showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import type { Stale, State } from '../../watch/state.ts'
import type { Balancer, Pick } from '../balancer/balancer.ts'
import { Waiters } from '../cache/waiters.ts'
import type { Upstream } from '../pool/upstream.ts'

/** unknown: no replica set has come yet; failed: the server says why it has none; known: the set, perhaps empty, is in the balancer. */
export type ClientState =
  | { readonly kind: 'unknown'; readonly waitingFor?: string }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'known'; readonly exists: boolean }

export interface BoundClientOptions {
  readonly id: Path
  readonly replicas: Cell<ReplicaSet>
  readonly balancer: Balancer<Upstream>
  readonly clock: Clock
}

export class BoundClient {
  readonly id: Path
  readonly idText: string
  /** Bindings that name this id now. */
  users = 0
  /** Since when and why the replica set is not confirmed, while it is not. */
  stale: Stale | undefined
  #state: ClientState = { kind: 'unknown' }
  readonly #balancer: Balancer<Upstream>
  readonly #waiters: Waiters
  readonly #unwatch: Unwatch

  constructor({ id, replicas, balancer, clock }: BoundClientOptions) {
    this.id = id
    this.idText = showPath(id)
    this.#balancer = balancer
    this.#waiters = new Waiters(clock)
    this.#unwatch = replicas.watch(state => this.#take(state))
  }

  get state(): ClientState {
    return this.#state
  }

  get balancer(): Balancer<Upstream> {
    return this.#balancer
  }

  pick(avoid?: readonly Upstream[]): Pick<Upstream> | undefined {
    return this.#balancer.pick(avoid)
  }

  /** Settles once the state is no longer unknown, or when time is up. */
  async settle(ms: number): Promise<void> {
    if (this.#state.kind === 'unknown') await this.#waiters.wait(ms)
  }

  /** Ends the watch; endpoints finish what they work on. */
  close(): void {
    this.#unwatch()
    this.#balancer.close()
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
    this.#balancer.update(replicas.kind === 'bound' ? replicas.endpoints : [])
    this.#state = { kind: 'known', exists: replicas.kind === 'bound' }
  }
}

function unsettledState(state: Exclude<State<ReplicaSet>, { kind: 'ok' }>): ClientState {
  if (state.kind === 'failed') return { kind: 'failed', error: state.error }
  return state.waitingFor === undefined ? { kind: 'unknown' } : { kind: 'unknown', waitingFor: state.waitingFor }
}
