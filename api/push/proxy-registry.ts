// The proxies that are connected to this thread, as their streams report them: which names of which namespace each holds, and
// how many of these it does not yet have as they are now. Counts only, so that a change to all costs two additions each.
import type { Clock } from '../../watch/clock.ts'
import type { ProxyState } from '../proxies.ts'

export interface ProxyFacts {
  readonly protocol: ProxyState['protocol']
  /** Whether it says what it has applied. */
  readonly confirms: boolean
  /** `host:port` of the peer. */
  readonly address: string
}

/** One proxy and one namespace. */
export interface NamespaceProgress {
  /** It holds one more name of the namespace, or one less. */
  addNames(change: number): void
  /** So many of its names have news that it has not confirmed, or have no longer. */
  addUnsettled(change: number): void
}

/** One connected proxy. */
export interface ProxyRecord {
  /** What it calls itself. */
  identify(id: string, version: string): void
  /** The same object each time. */
  namespace(namespace: string): NamespaceProgress
  addStreams(change: number): void
  /** It refuses a state and keeps the one before. */
  refused(name: string, reason: string): void
  /** It has gone; harmless when called twice. */
  leave(): void
}

export class ProxyRegistry {
  readonly #clock: Clock
  readonly #proxies = new Set<ConnectedProxy>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Proxies that are connected. */
  get size(): number {
    return this.#proxies.size
  }

  join(facts: ProxyFacts): ProxyRecord {
    const proxy = new ConnectedProxy(facts, this.#clock, () => this.#proxies.delete(proxy))
    this.#proxies.add(proxy)
    return proxy
  }
}

class ConnectedProxy implements ProxyRecord {
  readonly facts: ProxyFacts
  readonly since: number
  id: string
  version = ''
  streams = 0
  refusals = 0
  lastRefusal: ProxyState['lastRefusal']
  readonly #clock: Clock
  readonly #onLeave: () => void
  readonly #namespaces = new Map<string, Progress>()

  constructor(facts: ProxyFacts, clock: Clock, onLeave: () => void) {
    this.facts = facts
    this.id = facts.address
    this.since = clock.now()
    this.#clock = clock
    this.#onLeave = onLeave
  }

  identify(id: string, version: string): void {
    this.id = id
    this.version = version
  }

  namespace(namespace: string): NamespaceProgress {
    const known = this.#namespaces.get(namespace)
    if (known !== undefined) return known
    const made = new Progress()
    this.#namespaces.set(namespace, made)
    return made
  }

  addStreams(change: number): void {
    this.streams += change
  }

  refused(name: string, reason: string): void {
    this.refusals++
    this.lastRefusal = { name, reason, at: this.#clock.now() }
  }

  leave(): void {
    this.#onLeave()
  }
}

class Progress implements NamespaceProgress {
  names = 0
  unsettled = 0

  addNames(change: number): void {
    this.names += change
  }

  addUnsettled(change: number): void {
    this.unsettled += change
  }
}
