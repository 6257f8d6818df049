// One logical name with one local dtab: its bound tree, ready to draw from. A new tree takes over at once, over clients that
// are shared with the one before: its source shows it only when its endpoints are known.
import type { BoundName, BoundTree } from '../../naming/bound-tree.ts'
import { foldNameTree } from '../../naming/fold.ts'
import { alt, leaf, type NameTree, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import type { Stale, State } from '../../watch/state.ts'
import { Waiters } from '../cache/waiters.ts'
import type { BoundClient } from '../client/bound-client.ts'
import type { ClientCache } from '../client/client-cache.ts'
import { destinationLines } from '../headers/destination-lines.ts'
import type { Service } from '../service/service.ts'
import { createLottery, type Drawn, type Lottery } from './draw.ts'

/** A leaf to send to. */
export interface Destination {
  readonly client: BoundClient
  readonly residual: Path
  /** Whole field lines that tell the upstream which leaf it is. */
  readonly lines: string
}

/** A tree in use: what is drawn from, and what is given back when it goes. */
interface Plan {
  readonly tree: BoundTree
  readonly lottery: Lottery<Destination>
  readonly clients: ReadonlySet<BoundClient>
}

export interface BindingOptions {
  readonly service: Service
  /** Text of the local dtab, empty for none. */
  readonly dtab: string
  readonly tree: Cell<BoundTree>
  readonly clients: ClientCache
  readonly clock: Clock
}

export class Binding {
  readonly service: Service
  readonly dtab: string
  /** Since when and why the tree is not confirmed, while it is not. */
  stale: Stale | undefined
  readonly #clients: ClientCache
  readonly #waiters: Waiters
  readonly #unwatch: Unwatch
  #state: Exclude<State<BoundTree>, { kind: 'ok' }> = { kind: 'pending' }
  #serving: Plan | undefined

  constructor(options: BindingOptions) {
    this.#clients = options.clients
    this.service = options.service
    this.dtab = options.dtab
    this.#waiters = new Waiters(options.clock)
    this.#unwatch = options.tree.watch(state => this.#take(state))
  }

  get path(): Path {
    return this.service.path
  }

  get pathText(): string {
    return this.service.text
  }

  /** Whether a request can be sent now, as far as the tree goes. */
  get isBound(): boolean {
    return this.#serving !== undefined
  }

  /** Why it is not bound: pending or failed. Once it is bound, failed says that a newer answer was an error. */
  get unboundState(): Exclude<State<BoundTree>, { kind: 'ok' }> {
    return this.#state
  }

  /** Whether a request has to wait: neither a tree nor a failure has come yet. */
  get isPending(): boolean {
    return this.#serving === undefined && this.#state.kind === 'pending'
  }

  get isAwaited(): boolean {
    return this.#waiters.size > 0
  }

  /** The tree that serves. */
  get tree(): BoundTree | undefined {
    return this.#serving?.tree
  }

  /** Calls once it is bound or failed, or when `ms` milliseconds are over; not before it returns. */
  whenSettled(ms: number, run: () => void): Cancel {
    return this.#waiters.wait(ms, run)
  }

  draw(random: Random): Drawn<Destination> {
    return this.#serving?.lottery.draw(random) ?? { kind: 'neg' }
  }

  /** Ends the watch and gives the clients back. */
  close(): void {
    this.#unwatch()
    this.#release(this.#serving)
    this.#serving = undefined
    this.#waiters.wake()
  }

  #take(state: State<BoundTree>): void {
    if (state.kind === 'ok') {
      this.#state = { kind: 'pending' }
      this.stale = state.stale
      if (state.value !== this.#serving?.tree) this.#serve(this.#plan(state.value))
      return
    }
    this.#state = state
    if (state.kind === 'failed') this.#waiters.wake()
  }

  #serve(plan: Plan): void {
    const before = this.#serving
    this.#serving = plan
    this.#release(before)
    this.#waiters.wake()
  }

  #release(plan: Plan | undefined): void {
    for (const client of plan?.clients ?? []) this.#clients.release(client)
  }

  #plan(tree: BoundTree): Plan {
    const clients = new Set<BoundClient>()
    const destinations = foldNameTree<BoundName, NameTree<Destination>>(tree, {
      leaf: name => leaf(this.#destination(name, clients)),
      mark: kind => ({ kind }),
      alt,
      union: (trees, weights) => union(trees.map((kid, i) => ({ tree: kid, weight: weights[i] ?? 0 }))),
    })
    return { tree, lottery: createLottery(destinations), clients }
  }

  #destination({ id, residual }: BoundName, clients: Set<BoundClient>): Destination {
    const client = this.#clients.acquire(id)
    // Two leaves may share an id; one hold per tree is enough.
    if (clients.has(client)) this.#clients.release(client)
    clients.add(client)
    const lines = destinationLines({ service: this.pathText, client: client.idText, residual, dtab: this.dtab })
    return { client, residual, lines }
  }
}
