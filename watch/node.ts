// What every cell is inside the kernel: a state, those who watch it, those who are derived from it. The type of the
// value is known only at the kernel's face; in here it is unknown.
import {
  type Affects,
  type Cell,
  type CellOptions,
  nodeOf,
  type Observation,
  type Observer,
  type Unwatch,
  type Watcher,
} from './cell.ts'
import { append, type Chained, remove } from './chain.ts'
import type { Core } from './core.ts'
import { Subscription } from './delivery.ts'
import type { DerivedNode } from './derived.ts'
import { ok, pending, type State, sameState } from './state.ts'

/** Where a pooled node is found while it is alive, under its key. */
export interface Home {
  enter(node: Node): void
  leave(node: Node): void
  /** The one that is alive under the node's key: another than the node, when that one was watched first. */
  living(node: Node): Node | undefined
}

/** `target` has read `source` and saw `seen`. Chained among the source's dependents; `nextRead` follows the target's reads. */
export class Link implements Chained<Link> {
  readonly source: Node
  readonly target: DerivedNode
  seen: State<unknown> = pending
  affects: Affects<unknown> | undefined
  previous: Link | undefined
  next: Link | undefined
  nextRead: Link | undefined

  constructor(source: Node, target: DerivedNode, affects: Affects<unknown> | undefined) {
    this.source = source
    this.target = target
    this.affects = affects
  }
}

export abstract class Node implements Cell<unknown> {
  readonly core: Core
  readonly name: string
  readonly equals: (a: unknown, b: unknown) => boolean
  state: State<unknown> = pending
  watchers: Subscription | undefined
  dependents: Link | undefined
  home: Home | undefined
  /** Its key in its home. */
  key = ''

  constructor(core: Core, name: string, options: CellOptions<unknown>) {
    this.core = core
    this.name = name
    this.equals = options.equals ?? Object.is
  }

  /** The state as of now, computed if need be; never throws. */
  abstract refresh(): State<unknown>
  /** The first observer came. */
  protected abstract activate(): void
  /** The last observer left. */
  protected abstract deactivate(): void

  /** Itself, or in its stead the one that lives under its key: there is one cell per key, whoever holds which. */
  [nodeOf](): Node {
    return this.isObserved ? this : (this.home?.living(this) ?? this)
  }

  peek(): State<unknown> {
    return this[nodeOf]().refresh()
  }

  /** Itself, when it has to be checked before its state can be used; only derivations ever have. */
  unsettled(): DerivedNode | undefined {
    return undefined
  }

  /** Whether it is being checked or computed right now: its state is then the one before. */
  get isBusy(): boolean {
    return false
  }

  get isObserved(): boolean {
    return this.watchers !== undefined || this.dependents !== undefined
  }

  countObservers(): number {
    let count = 0
    for (let watcher = this.watchers; watcher !== undefined; watcher = watcher.next) count++
    for (let link = this.dependents; link !== undefined; link = link.next) count++
    return count
  }

  watch(watcher: Watcher<unknown>, signal?: AbortSignal): Unwatch {
    if (this.core.isClosed || signal?.aborted) return () => {}
    const subscription = new Subscription(this[nodeOf](), watcher)
    const end = subscription.end.bind(subscription)
    signal?.addEventListener('abort', end, { once: true })
    subscription.begin()
    if (signal === undefined) return end
    return () => {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  observe(observer: Observer<unknown>): Observation {
    const subscription = new Subscription(this[nodeOf](), observer)
    if (this.core.isClosed) subscription.phase = 'ended'
    else subscription.begin()
    return subscription
  }

  watcherCame(subscription: Subscription): void {
    const { core, isObserved } = this
    this.watchers = append(this.watchers, subscription)
    core.watchers++
    if (!isObserved) this.activate()
    if (this.isBusy) core.delivery.enqueue(subscription)
    core.delivery.deliver(subscription)
  }

  watcherLeft(): void {
    if (this.core.isClosed) return
    this.core.watchers--
    this.observerLeft()
  }

  join(link: Link): void {
    const wasObserved = this.isObserved
    this.dependents = append(this.dependents, link)
    if (!wasObserved) this.activate()
  }

  part(link: Link): void {
    this.dependents = remove(this.dependents, link)
    this.observerLeft()
  }

  /** One that goes lets go of what it read, which may go in turn: done in a loop, for a chain may be of any length. */
  private observerLeft(): void {
    if (this.isObserved) return
    const { leaving } = this.core
    leaving.push(this)
    if (leaving.length > 1) return
    for (const node of leaving) node.deactivate()
    leaving.length = 0
  }

  /** Whether one who has seen `a` learns nothing from `b`; an equals that throws says that they differ. */
  isSame(a: State<unknown>, b: State<unknown>): boolean {
    try {
      return sameState(a, b, this.equals)
    } catch (error) {
      this.core.options.onError(error, this.name)
      return false
    }
  }

  /** Takes a new state unless it is the same; a value that is only fresh or stale again keeps its identity. */
  protected setState(next: State<unknown>): boolean {
    const last = this.state
    if (this.isSame(last, next)) return false
    const isSameValue =
      last.kind === 'ok' &&
      next.kind === 'ok' &&
      last.stale !== next.stale &&
      this.isSame(ok(last.value), ok(next.value))
    this.state = isSameValue ? ok(last.value, next.stale) : next
    return true
  }

  /** Tells everything downstream that it may have changed; values are pulled later. */
  protected invalidate(): void {
    const reached: Node[] = [this]
    for (const node of reached) {
      for (let watcher = node.watchers; watcher !== undefined; watcher = watcher.next)
        this.core.delivery.enqueue(watcher)
      for (let link = node.dependents; link !== undefined; link = link.next)
        if (link.target.mark()) reached.push(link.target)
    }
  }

  /** Counts it among the living. */
  protected occupy(): void {
    this.core.cells++
    this.home?.enter(this)
  }

  protected release(): void {
    this.core.cells--
    this.home?.leave(this)
  }
}

/** The node behind a cell of this kernel. Throws on a cell of another. */
export function nodeBehind(cell: Cell<unknown>, core: Core): Node {
  const node = cell[nodeOf]()
  if (node instanceof Node && node.core === core) return node
  throw new TypeError(`${cell.name} is not a cell of this kernel`)
}
