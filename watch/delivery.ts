// Who is to be told, and when. A flush serves everyone queued before it began, over as many turns as it takes; whoever
// is queued meanwhile waits for the next flush. Nothing is stored per change: a watcher is queued once and gets the newest.
import type { Observation, Observer, Watcher } from './cell.ts'
import { type Chained, remove } from './chain.ts'
import type { Cancel } from './clock.ts'
import type { KernelOptions } from './core.ts'
import type { Node } from './node.ts'
import { awaited, type State } from './state.ts'

/** Deliveries in one turn of the event loop; a longer flush goes on in the next turn. */
const maxDeliveriesPerTurn = 512
/** A turn also ends after this long: looked at after each evaluation, which may be dear, and after every few watchers. */
const maxTurnMs = 5
const watchersPerTimeCheck = 16

/** One watcher of one node. */
export class Subscription implements Observation, Chained<Subscription> {
  readonly node: Node
  readonly watcher: Watcher<unknown> | Observer<unknown>
  last: State<unknown> | undefined
  phase: 'idle' | 'queued' | 'ended' = 'idle'
  previous: Subscription | undefined
  next: Subscription | undefined

  constructor(node: Node, watcher: Watcher<unknown> | Observer<unknown>) {
    this.node = node
    this.watcher = watcher
  }

  get name(): string {
    return this.node.name
  }

  begin(): void {
    this.node.watcherCame(this)
  }

  end(): void {
    if (this.phase === 'ended') return
    this.phase = 'ended'
    this.node.watchers = remove(this.node.watchers, this)
    this.node.watcherLeft()
  }
}

export class Delivery {
  readonly #options: KernelOptions
  #flush: (Subscription | (() => void))[] = []
  #next: (Subscription | (() => void))[] = []
  /** When the first change of each was made, on the monotonic clock. */
  #flushSince = 0
  #nextSince = 0
  /** Those who feed other cells: a step of the graph, not its end. */
  #relays: Subscription[] = []
  #cursor = 0
  #isFlushing = false
  /** Whether a turn is telling watchers at this moment. */
  #isServing = false
  #isClosed = false
  #cancel: Cancel | undefined
  delivered = 0

  constructor(options: KernelOptions) {
    this.#options = options
  }

  enqueue(subscription: Subscription): void {
    if (subscription.phase !== 'idle' || this.#isClosed) return
    subscription.phase = 'queued'
    if (isRelay(subscription)) {
      if (this.#flush.length + this.#relays.length === 0) this.#flushSince = this.#options.clock.monotonic()
      this.#relays.push(subscription)
    } else this.#append(subscription)
    this.#cancel ??= this.#options.clock.defer(this.#turn)
  }

  /** Runs `then` once all who are queued now have been told. */
  afterNow(then: () => void): void {
    if (this.#isClosed) return
    this.#append(then)
    this.#cancel ??= this.#options.clock.defer(this.#turn)
  }

  /**
   * When the first of the changes that are being told was made; now, outside of a turn. On the monotonic clock. What is set
   * by who is being told counts as part of what he was told.
   */
  get changedAt(): number {
    return this.#isServing ? this.#flushSince : this.#options.clock.monotonic()
  }

  /** Tells one watcher the present state, unless it has learnt as much before. */
  deliver(subscription: Subscription): void {
    const { node, last, watcher } = subscription
    const state = node.refresh()
    if (subscription.phase === 'ended' || this.#isClosed) return
    if (last !== undefined && node.isSame(last, state)) return
    subscription.last = state
    if (state === awaited && typeof watcher === 'object' && watcher.isPatient === true) return
    this.delivered++
    try {
      if (typeof watcher === 'function') watcher(state)
      else watcher.deliver(state)
    } catch (error) {
      this.#options.onError(error, node.name)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#flush = []
    this.#next = []
    this.#relays = []
  }

  readonly #turn = (): void => {
    this.#cancel = undefined
    this.#isFlushing = true
    this.#isServing = true
    try {
      this.#serve()
    } finally {
      this.#isServing = false
      this.#endTurn()
    }
  }

  #append(item: Subscription | (() => void)): void {
    if (this.#isFlushing) {
      if (this.#next.length === 0) this.#nextSince = this.changedAt
      this.#next.push(item)
    } else {
      if (this.#flush.length + this.#relays.length === 0) this.#flushSince = this.#options.clock.monotonic()
      this.#flush.push(item)
    }
  }

  #serve(): void {
    const { clock } = this.#options
    const endsAt = clock.monotonic() + maxTurnMs
    const lastDelivery = this.delivered + maxDeliveriesPerTurn
    while (this.delivered < lastDelivery) {
      if (this.#relays.length > 0) this.#serveRelays()
      const subscription = this.#flush[this.#cursor]
      if (subscription === undefined) return
      this.#cursor++
      if (typeof subscription === 'function') {
        this.#run(subscription)
        continue
      }
      const { core } = subscription.node
      const { evaluations } = core
      this.#serveOne(subscription)
      const mayBeLate = core.evaluations !== evaluations || this.#cursor % watchersPerTimeCheck === 0
      if (mayBeLate && clock.monotonic() >= endsAt) return
    }
  }

  #run(then: () => void): void {
    try {
      then()
    } catch (error) {
      this.#options.onError(error, 'what follows a delivery')
    }
  }

  #serveOne(subscription: Subscription): void {
    if (subscription.phase !== 'queued') return
    subscription.phase = 'idle'
    this.deliver(subscription)
  }

  /** Only those waiting now, so that relays which feed each other in a circle take turns with everyone else. */
  #serveRelays(): void {
    const waiting = this.#relays
    this.#relays = []
    for (const subscription of waiting) this.#serveOne(subscription)
  }

  #endTurn(): void {
    if (this.#cursor >= this.#flush.length) {
      this.#isFlushing = false
      this.#flush = this.#next
      this.#flushSince = this.#nextSince
      this.#next = []
      this.#cursor = 0
    }
    if (this.#flush.length > 0 || this.#relays.length > 0) this.#cancel ??= this.#options.clock.defer(this.#turn)
  }
}

function isRelay({ watcher }: Subscription): boolean {
  return typeof watcher === 'object' && watcher.isRelay === true
}
