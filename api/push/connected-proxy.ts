// One connected proxy as its streams report it: which names of which namespace it holds, and how many of these it does not
// have as they are now. Counts only, so that a change to all proxies costs two additions each.
import type { Clock } from '../../watch/clock.ts'
import { isBehind, maxNamespacesTold, type ProxyNamespace, type ProxyState } from '../proxies.ts'
import type { NamespaceFleet } from './namespace-fleet.ts'

export interface ProxyFacts {
  readonly protocol: ProxyState['protocol']
  /** Whether it says what it has applied. */
  readonly confirms: boolean
  /** `host:port` of the peer. */
  readonly address: string
}

/** One proxy and one namespace. */
export interface NamespaceProgress {
  /**
   * It holds so many more names of the namespace, or less. From the first on it is behind until all it holds is settled for
   * the first time; a stream that has nothing to send for a name says so by adding one unsettled and taking it away again.
   */
  addNames(change: number): void
  /** So many of its names have news that it has not confirmed, or have no longer. */
  addUnsettled(change: number): void
}

/** One connected proxy. */
export interface ProxyRecord {
  /** What it calls itself; an empty id is its address. */
  identify(id: string, version: string): void
  /** The same object for as long as the proxy holds a name of the namespace, or something there is unconfirmed. */
  namespace(namespace: string): NamespaceProgress
  addStreams(change: number): void
  /** It refuses a state and keeps the one before. */
  refused(name: string, reason: string): void
  /**
   * It has confirmed all that there was for it at a moment on the monotonic clock, in every namespace: for a proxy that is
   * sent news more often than it confirms, so that something is always on its way. Optional.
   */
  hadAllAt(moment: number): void
  /** It has gone; harmless when called twice, and so is every call after it. */
  leave(): void
}

/** What a proxy needs of the registry that it is in. */
export interface ProxyHome {
  readonly clock: Clock
  /** The fleet of a namespace, which is kept while it has members. */
  join(namespace: string, member: Progress): NamespaceFleet
  left(namespace: string, member: Progress): void
  /** Another id, so another place in the list. */
  renamed(): void
  /** Something that is told of the fleet has changed. */
  changed(): void
  gone(proxy: ConnectedProxy): void
}

/** Of what proxies say of themselves so many characters are kept, for all of it is shown to others, a thousand at once. */
const maxIdLength = 253
const maxVersionLength = 64
const maxReasonLength = 1_000

export class ConnectedProxy implements ProxyRecord {
  readonly facts: ProxyFacts
  readonly ref: string
  readonly home: ProxyHome
  readonly namespaces = new Map<string, Progress>()
  id: string
  isGone = false
  /** Namespaces in which it holds a name, and not only something that it has given up since. */
  followed = 0
  /** Namespaces in which something is unconfirmed. */
  behind = 0
  /** On the monotonic clock; before any, long ago. */
  confirmedAt = Number.NEGATIVE_INFINITY
  readonly #since: number
  #version = ''
  #streams = 0
  #refusals = 0
  #lastRefusal: ProxyState['lastRefusal']

  constructor(facts: ProxyFacts, ref: string, home: ProxyHome) {
    this.facts = facts
    this.ref = ref
    this.home = home
    this.id = facts.address
    this.#since = home.clock.now()
  }

  identify(id: string, version: string): void {
    this.id = id === '' ? this.facts.address : cut(id, maxIdLength)
    this.#version = cut(version, maxVersionLength)
    this.home.renamed()
  }

  namespace(namespace: string): NamespaceProgress {
    const known = this.namespaces.get(namespace)
    if (known !== undefined) return known
    const made = new Progress(namespace, this)
    if (!this.isGone) this.namespaces.set(namespace, made)
    return made
  }

  addStreams(change: number): void {
    this.#streams += change
  }

  refused(name: string, reason: string): void {
    this.#refusals++
    const at = this.home.clock.now()
    this.#lastRefusal = { name: cut(name, maxReasonLength), reason: cut(reason, maxReasonLength), at }
  }

  hadAllAt(moment: number): void {
    if (moment <= this.confirmedAt) return
    this.confirmedAt = moment
    if (this.behind > 0) this.home.changed()
  }

  leave(): void {
    if (this.isGone) return
    this.isGone = true
    for (const progress of this.namespaces.values()) progress.forget()
    this.namespaces.clear()
    this.home.gone(this)
  }

  /** As others are told of it; with a namespace, of that alone. */
  state(server: string, newest: (namespace: string) => number, namespace?: string): ProxyState {
    const { facts, id, ref } = this
    return {
      id,
      ref,
      server,
      ...facts,
      ...(this.#version !== '' && { version: this.#version }),
      since: this.#since,
      streams: this.#streams,
      namespaces: this.#told(newest, namespace),
      namespaceCount: this.followed,
      refusals: this.#refusals,
      ...(this.#lastRefusal && { lastRefusal: this.#lastRefusal }),
    }
  }

  #told(newest: (namespace: string) => number, only: string | undefined): readonly ProxyNamespace[] {
    const all: ProxyNamespace[] = []
    for (const progress of only === undefined ? this.namespaces.values() : this.#at(only))
      if (progress.isFollowed) all.push(progress.state(newest(progress.namespace)))
    if (all.length > maxNamespacesTold) all.sort((a, b) => Number(isBehind(b)) - Number(isBehind(a)))
    const told = all.slice(0, maxNamespacesTold)
    return told.sort((a, b) => (a.namespace < b.namespace ? -1 : 1))
  }

  #at(namespace: string): readonly Progress[] {
    const progress = this.namespaces.get(namespace)
    return progress === undefined ? [] : [progress]
  }
}

function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`
}

/** One proxy and one namespace. Part of a fleet while it holds a name. */
export class Progress implements NamespaceProgress {
  readonly namespace: string
  readonly #proxy: ConnectedProxy
  #fleet: NamespaceFleet | undefined
  #names = 0
  #unsettled = 0
  /** Whether it has had all that there was since it joined the fleet. */
  #hasSettled = false
  #isBehind = false
  /** What it had applied when it fell behind, and when that was, on the monotonic clock. */
  #appliedBefore = 0
  #behindSince = 0

  constructor(namespace: string, proxy: ConnectedProxy) {
    this.namespace = namespace
    this.#proxy = proxy
  }

  get isFollowed(): boolean {
    return this.#fleet !== undefined
  }

  get isBehind(): boolean {
    return this.#isBehind
  }

  /** The version that it has applied. */
  get version(): number {
    if (this.#fleet === undefined) return 0
    if (!this.#isBehind) return this.#fleet.settledVersion
    const { confirmedAt } = this.#proxy
    if (confirmedAt <= this.#behindSince) return this.#appliedBefore
    return Math.max(this.#appliedBefore, this.#fleet.settledBefore(confirmedAt))
  }

  addNames(change: number): void {
    this.#names += change
    if (this.#names > 0) this.#join()
    else this.#part()
    this.#dropUnused()
  }

  addUnsettled(change: number): void {
    this.#unsettled += change
    if (this.#unsettled === 0) this.#hasSettled = true
    this.#judge()
    this.#dropUnused()
  }

  /** The proxy is gone. */
  forget(): void {
    this.#part()
  }

  state(newest: number): ProxyNamespace {
    const { namespace, version } = this
    const { clock } = this.#proxy.home
    const since = Math.max(this.#behindSince, this.#proxy.confirmedAt)
    return {
      namespace,
      names: this.#names,
      version,
      newest: Math.max(newest, version, this.#fleet?.settledVersion ?? 0),
      ...(this.#isBehind && { behindSince: Math.round(clock.now() - (clock.monotonic() - since)) }),
    }
  }

  /** Whoever joins has everything to prove. */
  #join(): void {
    if (this.#fleet !== undefined || this.#proxy.isGone) return
    this.#fleet = this.#proxy.home.join(this.namespace, this)
    this.#proxy.followed++
    this.#hasSettled = false
    this.#judge()
  }

  #part(): void {
    if (this.#fleet === undefined) return
    this.#countBehind(this.#fleet, false)
    this.#fleet = undefined
    this.#proxy.followed--
    this.#proxy.home.left(this.namespace, this)
  }

  #judge(): void {
    if (this.#fleet !== undefined) this.#countBehind(this.#fleet, this.#unsettled > 0 || !this.#hasSettled)
  }

  #countBehind(fleet: NamespaceFleet, isBehind: boolean): void {
    if (isBehind === this.#isBehind) return
    const { home } = this.#proxy
    if (isBehind) {
      this.#appliedBefore = this.#hasSettled ? fleet.settledVersion : 0
      this.#behindSince = home.clock.monotonic()
    }
    this.#isBehind = isBehind
    fleet.behind += isBehind ? 1 : -1
    this.#proxy.behind += isBehind ? 1 : -1
    home.changed()
  }

  #dropUnused(): void {
    if (this.#names === 0 && this.#unsettled === 0) this.#proxy.namespaces.delete(this.namespace)
  }
}
