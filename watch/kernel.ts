// The watch kernel: cells that push "perhaps changed" and pull the new value, so that nobody sees a half-made change.
// Delivery is latest-wins and bounded per turn of the event loop. Knows nothing of naming.
import {
  type Cell,
  type CellOptions,
  type Input,
  type Kernel,
  nodeOf,
  type Pool,
  type Read,
  type Sink,
  type SourceEvent,
  type SourceOptions,
  type SourceReport,
  type Unwatch,
  type Watcher,
} from './cell.ts'
import type { Cancel, Clock } from './clock.ts'
import { failed, ok, pending, type Stale, type State, sameState } from './state.ts'

/** Deliveries in one turn of the event loop; a longer flush goes on in the next turn. */
const maxDeliveriesPerTurn = 512
/** A turn also ends after this long, looked at every few deliveries. */
const maxTurnMs = 10
const deliveriesPerTimeCheck = 16

export interface KernelOptions {
  readonly clock: Clock
  /** Told of a throwing watcher, close or open; the kernel goes on. */
  readonly onError: (error: unknown, where: string) => void
  /** Told when a source opens, fails, recovers or closes. */
  readonly onSource?: (event: SourceEvent) => void
}

const identical = (a: unknown, b: unknown): boolean => Object.is(a, b)

/** One watcher on one node. */
class Subscription<T> {
  readonly node: Node<T>
  readonly watcher: Watcher<T>
  last: State<T> | undefined
  queued = false
  disposed = false

  constructor(node: Node<T>, watcher: Watcher<T>) {
    this.node = node
    this.watcher = watcher
  }
}

/** The queue of watchers to serve. A flush is what was queued when it began; what comes later is the next flush. */
class Delivery {
  readonly #clock: Clock
  readonly #onError: KernelOptions['onError']
  #flush: Subscription<never>[] = []
  #next: Subscription<never>[] = []
  #cursor = 0
  #running = false
  #cancel: Cancel | undefined
  delivered = 0

  constructor(options: KernelOptions) {
    this.#clock = options.clock
    this.#onError = options.onError
  }

  enqueue(subscription: Subscription<never>): void {
    if (subscription.queued) return
    subscription.queued = true
    if (this.#running) this.#next.push(subscription)
    else this.#flush.push(subscription)
    this.#cancel ??= this.#clock.defer(this.#turn)
  }

  deliver<T>(subscription: Subscription<T>): void {
    const state = subscription.node.refresh()
    if (subscription.disposed) return
    const last = subscription.last
    if (last !== undefined && sameState(last, state, subscription.node.equals)) return
    subscription.last = state
    this.delivered++
    try {
      subscription.watcher(state)
    } catch (error) {
      this.#onError(error, subscription.node.name)
    }
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#flush = []
    this.#next = []
    this.#cursor = 0
    this.#running = false
  }

  readonly #turn = (): void => {
    this.#cancel = undefined
    this.#running = true
    const startedAt = this.#clock.monotonic()
    let served = 0
    while (this.#cursor < this.#flush.length) {
      if (served >= maxDeliveriesPerTurn || this.#isLate(served, startedAt)) {
        this.#cancel = this.#clock.defer(this.#turn)
        return
      }
      const subscription = this.#flush[this.#cursor++]
      if (subscription === undefined) continue
      subscription.queued = false
      if (!subscription.disposed) this.deliver(subscription)
      served++
    }
    this.#running = false
    this.#flush = this.#next
    this.#next = []
    this.#cursor = 0
    if (this.#flush.length > 0) this.#cancel = this.#clock.defer(this.#turn)
  }

  #isLate(served: number, startedAt: number): boolean {
    return served % deliveriesPerTimeCheck === 0 && this.#clock.monotonic() - startedAt > maxTurnMs
  }
}

interface Core {
  readonly options: KernelOptions
  readonly delivery: Delivery
  readonly openSources: Set<SourceNode<never>>
  watchers: number
  evaluations: number
}

abstract class Node<T> implements Cell<T> {
  readonly name: string
  readonly core: Core
  readonly equals: (a: T, b: T) => boolean
  state: State<T> = pending
  #watchers: Set<Subscription<T>> | undefined
  #dependents: Set<DerivedNode<never>> | undefined
  /** Set by a pool, which forgets the node when it is released. */
  onRelease: (() => void) | undefined

  constructor(core: Core, name: string, options: CellOptions<T>) {
    this.core = core
    this.name = name
    this.equals = options.equals ?? identical
  }

  [nodeOf](): Node<T> {
    return this
  }

  abstract refresh(): State<T>
  protected abstract activate(): void
  protected abstract deactivate(): void

  peek(): State<T> {
    return this.refresh()
  }

  get observers(): number {
    return (this.#watchers?.size ?? 0) + (this.#dependents?.size ?? 0)
  }

  watch(watcher: Watcher<T>, signal?: AbortSignal): Unwatch {
    if (signal?.aborted) return () => {}
    const subscription = new Subscription(this, watcher)
    const wasObserved = this.observers > 0
    this.#watchers ??= new Set()
    this.#watchers.add(subscription)
    this.core.watchers++
    const unwatch = (): void => {
      if (subscription.disposed) return
      subscription.disposed = true
      this.core.watchers--
      signal?.removeEventListener('abort', unwatch)
      this.#watchers?.delete(subscription)
      this.#leave()
    }
    signal?.addEventListener('abort', unwatch, { once: true })
    if (!wasObserved) this.activate()
    this.core.delivery.deliver(subscription)
    return unwatch
  }

  addDependent(dependent: DerivedNode<never>): void {
    const wasObserved = this.observers > 0
    this.#dependents ??= new Set()
    this.#dependents.add(dependent)
    if (!wasObserved) this.activate()
  }

  removeDependent(dependent: DerivedNode<never>): void {
    if (this.#dependents?.delete(dependent)) this.#leave()
  }

  #leave(): void {
    if (this.#watchers?.size === 0) this.#watchers = undefined
    if (this.#dependents?.size === 0) this.#dependents = undefined
    if (this.observers === 0) this.deactivate()
  }

  protected setState(next: State<T>): boolean {
    const last = this.state
    if (sameState(last, next, this.equals)) return false
    const keepsValue = last.kind === 'ok' && next.kind === 'ok' && this.equals(last.value, next.value)
    this.state = keepsValue ? ok(last.value, next.stale) : next
    return true
  }

  /** Tells everything downstream that it may have changed; values are pulled later. */
  protected invalidate(): void {
    const reached: Node<never>[] = [this as unknown as Node<never>]
    for (let node = reached.pop(); node !== undefined; node = reached.pop()) node.#markOutward(reached)
  }

  #markOutward(reached: Node<never>[]): void {
    if (this.#watchers !== undefined)
      for (const subscription of this.#watchers)
        this.core.delivery.enqueue(subscription as unknown as Subscription<never>)
    if (this.#dependents !== undefined)
      for (const dependent of this.#dependents) if (dependent.mark()) reached.push(dependent)
  }
}

/** What a source and an input share: a state that is set, and a failure that keeps the last good value. */
abstract class SetNode<T> extends Node<T> {
  refresh(): State<T> {
    return this.state
  }

  protected accept(value: T): boolean {
    return this.#change(ok(value))
  }

  protected reject(error: Error): void {
    const last = this.state
    if (last.kind !== 'ok') this.#change(failed(error))
    else this.#change(ok(last.value, this.#staleSince(last.stale, error)))
  }

  #staleSince(stale: Stale | undefined, reason: Error): Stale {
    return { since: stale?.since ?? this.core.options.clock.now(), reason }
  }

  #change(next: State<T>): boolean {
    const changed = this.setState(next)
    if (changed) this.invalidate()
    return changed
  }
}

class InputNode<T> extends SetNode<T> implements Input<T> {
  constructor(core: Core, name: string, options: CellOptions<T> & { readonly initial?: T }) {
    super(core, name, options)
    if (options.initial !== undefined) this.state = ok(options.initial)
  }

  set(value: T): void {
    this.accept(value)
  }

  fail(error: Error): void {
    this.reject(error)
  }

  contact(): void {}
  protected activate(): void {}

  protected deactivate(): void {
    this.onRelease?.()
  }
}

class SourceNode<T> extends SetNode<T> {
  readonly #open: (sink: Sink<T>) => () => void
  readonly #lingerMs: number
  #close: (() => void) | undefined
  #epoch = 0
  #linger: Cancel | undefined
  #openedAt = 0
  #changedAt: number | undefined
  #contactAt: number | undefined
  #failingSince: number | undefined
  #lastError: string | undefined
  #retryAt: number | undefined

  constructor(core: Core, name: string, open: (sink: Sink<T>) => () => void, options: SourceOptions<T>) {
    super(core, name, options)
    this.#open = open
    this.#lingerMs = options.lingerMs ?? 0
  }

  protected activate(): void {
    if (this.#linger !== undefined) {
      this.#linger()
      this.#linger = undefined
      return
    }
    this.#openedAt = this.core.options.clock.now()
    this.core.openSources.add(this as unknown as SourceNode<never>)
    this.#tell('opened')
    const epoch = ++this.#epoch
    try {
      this.#close = this.#open(this.#sink(epoch))
    } catch (error) {
      this.core.options.onError(error, this.name)
      this.#fail(error instanceof Error ? error : new Error(String(error)), undefined)
    }
  }

  protected deactivate(): void {
    this.#linger = this.core.options.clock.after(this.#lingerMs, () => this.shut())
  }

  /** Closes at once, whether or not anyone watches. */
  shut(): void {
    this.#linger?.()
    this.#linger = undefined
    this.#epoch++
    const close = this.#close
    this.#close = undefined
    this.core.openSources.delete(this as unknown as SourceNode<never>)
    this.state = pending
    this.#changedAt = this.#contactAt = this.#failingSince = this.#retryAt = undefined
    this.#lastError = undefined
    try {
      close?.()
    } catch (error) {
      this.core.options.onError(error, this.name)
    }
    this.#tell('closed')
    this.onRelease?.()
  }

  report(): SourceReport {
    const known = {
      changedAt: this.#changedAt,
      contactAt: this.#contactAt,
      failingSince: this.#failingSince,
      lastError: this.#lastError,
      retryAt: this.#retryAt,
    }
    return {
      name: this.name,
      state: this.state.kind === 'ok' && this.state.stale !== undefined ? 'stale' : this.state.kind,
      openedAt: this.#openedAt,
      observers: this.observers,
      lingering: this.#linger !== undefined,
      ...(JSON.parse(JSON.stringify(known)) as Partial<SourceReport>),
    }
  }

  #sink(epoch: number): Sink<T> {
    const isOpen = (): boolean => epoch === this.#epoch
    return {
      set: value => {
        if (isOpen()) this.#set(value)
      },
      fail: (error, retryAt) => {
        if (isOpen()) this.#fail(error, retryAt)
      },
      contact: () => {
        if (isOpen()) this.#contactAt = this.core.options.clock.now()
      },
    }
  }

  #set(value: T): void {
    this.#contactAt = this.core.options.clock.now()
    const recovered = this.#failingSince !== undefined
    this.#failingSince = this.#retryAt = undefined
    if (this.accept(value)) this.#changedAt = this.#contactAt
    if (recovered) this.#tell('recovered')
  }

  #fail(error: Error, retryAt: number | undefined): void {
    const kind = this.#failingSince === undefined ? 'failed' : 'failed-again'
    this.#failingSince ??= this.core.options.clock.now()
    this.#lastError = error.message
    this.#retryAt = retryAt
    this.reject(error)
    this.#tell(kind, error, retryAt)
  }

  #tell(kind: SourceEvent['kind'], error?: Error, retryAt?: number): void {
    this.core.options.onSource?.({
      kind,
      source: this.name,
      ...(error && { error }),
      ...(retryAt !== undefined && { retryAt }),
    })
  }
}

type Dep = {
  readonly node: Node<never>
  seen: State<unknown>
  affects: ((before: never, after: never) => boolean) | undefined
}

class DerivedNode<T> extends Node<T> {
  readonly #compute: (read: Read) => State<T>
  #deps: Dep[] = []
  #mark: 'clean' | 'perhaps' | 'dirty' = 'dirty'
  #isComputing = false

  constructor(core: Core, name: string, compute: (read: Read) => State<T>, options: CellOptions<T>) {
    super(core, name, options)
    this.#compute = compute
  }

  /** Notes that something upstream changed; true when downstream has to be told too. */
  mark(): boolean {
    if (this.#mark !== 'clean') return false
    this.#mark = 'perhaps'
    return true
  }

  refresh(): State<T> {
    if (this.#isComputing) throw new Error(`cycle: ${this.name} depends on itself`)
    if (this.observers === 0) return this.#evaluateOnce()
    if (this.#mark === 'clean') return this.state
    if (this.#mark === 'perhaps' && this.#depsUnchanged()) this.#mark = 'clean'
    else this.#recompute()
    return this.state
  }

  protected activate(): void {}

  protected deactivate(): void {
    const deps = this.#deps
    this.#deps = []
    this.#mark = 'dirty'
    this.state = pending
    for (const dep of deps) dep.node.removeDependent(this as unknown as DerivedNode<never>)
    this.onRelease?.()
  }

  #depsUnchanged(): boolean {
    for (const dep of this.#deps) {
      const now: State<unknown> = dep.node.refresh()
      if (now === dep.seen) continue
      if (!isHarmless(dep, now)) return false
      dep.seen = now
    }
    return true
  }

  #recompute(): void {
    const before = this.#deps
    const after: Dep[] = []
    let isOpen = true
    const read: Read = (cell, affects) => {
      if (!isOpen) throw new Error(`${this.name}: read was called after its derivation ended`)
      const node = (cell as Cell<never>)[nodeOf]() as Node<never>
      node.addDependent(this as unknown as DerivedNode<never>)
      const seen: State<unknown> = node.refresh()
      after.push({ node, seen, affects })
      return seen as never
    }
    this.#deps = after
    const next = this.#run(read)
    isOpen = false
    this.#release(before, after)
    if (this.observers === 0) {
      this.deactivate()
      return
    }
    this.#mark = 'clean'
    if (this.setState(withStaleness(next, after)) || !this.#isCurrent()) this.#settle()
  }

  /** Something read in this run changed again while it ran: look once more at the next flush. */
  #settle(): void {
    if (this.#isCurrent()) return
    this.#mark = 'perhaps'
    this.invalidate()
  }

  #isCurrent(): boolean {
    return this.#deps.every(dep => dep.node.state === dep.seen)
  }

  #run(read: Read): State<T> {
    this.core.evaluations++
    this.#isComputing = true
    try {
      return this.#compute(read)
    } catch (error) {
      return failed(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#isComputing = false
    }
  }

  #release(before: readonly Dep[], after: readonly Dep[]): void {
    const kept = after.length > 8 ? new Set(after.map(dep => dep.node)) : undefined
    for (const { node } of before) {
      const isKept = kept === undefined ? after.some(dep => dep.node === node) : kept.has(node)
      if (!isKept) node.removeDependent(this as unknown as DerivedNode<never>)
    }
  }

  /** For a peek at a cell that nobody watches: computed and forgotten. */
  #evaluateOnce(): State<T> {
    const seen: Dep[] = []
    const read: Read = cell => {
      const node = (cell as Cell<never>)[nodeOf]() as Node<never>
      const state: State<unknown> = node.refresh()
      seen.push({ node, seen: state, affects: undefined })
      return state as never
    }
    return withStaleness(this.#run(read), seen)
  }
}

function isHarmless(dep: Dep, now: State<unknown>): boolean {
  const { seen, affects } = dep
  if (affects === undefined || seen.kind !== 'ok' || now.kind !== 'ok' || seen.stale !== now.stale) return false
  return !affects(seen.value as never, now.value as never)
}

/** A value made from stale values is stale since the oldest of them. */
function withStaleness<T>(state: State<T>, deps: readonly Dep[]): State<T> {
  if (state.kind !== 'ok') return state
  let stale = state.stale
  for (const { seen } of deps) {
    if (seen.kind === 'ok' && seen.stale !== undefined && (stale === undefined || seen.stale.since < stale.since))
      stale = seen.stale
  }
  return stale === state.stale ? state : ok(state.value, stale)
}

class KeyedPool<K, T> implements Pool<K, T> {
  readonly #live = new Map<string, { readonly key: K; readonly node: Node<T> }>()
  readonly #create: (key: K) => Cell<T>
  readonly #keyText: (key: K) => string

  constructor(create: (key: K) => Cell<T>, keyText: (key: K) => string) {
    this.#create = create
    this.#keyText = keyText
  }

  at(key: K): Cell<T> {
    const text = this.#keyText(key)
    const live = this.#live.get(text)
    if (live !== undefined) return live.node
    const made = this.#create(key)[nodeOf]() as Node<T>
    const resolve = (): Node<T> => this.#liveNode(key, text, made)
    return {
      name: made.name,
      peek: () => (this.#live.get(text)?.node ?? made).peek(),
      watch: (watcher, signal) => resolve().watch(watcher, signal),
      [nodeOf]: resolve,
    }
  }

  get size(): number {
    return this.#live.size
  }

  *keys(): Iterable<K> {
    for (const { key } of this.#live.values()) yield key
  }

  #liveNode(key: K, text: string, made: Node<T>): Node<T> {
    const live = this.#live.get(text)
    if (live !== undefined) return live.node
    this.#live.set(text, { key, node: made })
    made.onRelease = () => this.#live.delete(text)
    return made
  }
}

/** A kernel of its own; cells of two kernels must not be mixed. */
export function createKernel(options: KernelOptions): Kernel {
  const delivery = new Delivery(options)
  const core: Core = { options, delivery, openSources: new Set(), watchers: 0, evaluations: 0 }
  return {
    input: (name, cellOptions = {}) => new InputNode(core, name, cellOptions),
    derive: (name, compute, cellOptions = {}) => new DerivedNode(core, name, compute, cellOptions),
    source: (name, open, sourceOptions = {}) => new SourceNode(core, name, open, sourceOptions),
    pool: (create, keyText) => new KeyedPool(create, keyText),
    sources: () => [...core.openSources].map(source => source.report()),
    counts: () => ({
      watchers: core.watchers,
      openSources: core.openSources.size,
      evaluations: core.evaluations,
      deliveries: delivery.delivered,
    }),
    close: () => {
      delivery.close()
      for (const source of [...core.openSources]) source.shut()
    },
  }
}
