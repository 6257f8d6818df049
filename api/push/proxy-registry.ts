// The proxies that are connected to this thread, as their streams report them, in the order and the pages in which others
// are told of them. Knows no protocol and no other thread.
import type { Cell, Kernel, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import {
  type AppliedListener,
  compareProxies,
  cursorOf,
  firstPage,
  type ProxiesApplied,
  type ProxiesPart,
  type ProxiesQuery,
  type ProxySource,
  parseCursor,
} from '../proxies.ts'
import type { DtabVersion } from '../servers.ts'
import { ConnectedProxy, type Progress, type ProxyFacts, type ProxyHome, type ProxyRecord } from './connected-proxy.ts'
import { NamespaceFleet } from './namespace-fleet.ts'

export type { NamespaceProgress, ProxyFacts, ProxyRecord } from './connected-proxy.ts'

export interface ProxyRegistryOptions {
  readonly clock: Clock
  readonly kernel: Pick<Kernel, 'afterDelivery'>
  /** The rules by which names of a namespace are evaluated here; watched while proxies follow names of it. */
  readonly namespace: (namespace: string) => Cell<{ readonly version: number }>
  /** This server's id. */
  readonly server: string
  /** Tells the threads of one server apart. */
  readonly thread?: number
  /** The newest version of a namespace that any server goes by; 0 where that is not known. */
  readonly newest?: (namespace: string) => number
}

/** Who waits is told soon, then in such steps. */
const firstToldMs = 10
const stepMs = 100

const none: ProxiesApplied = { total: 0, applied: 0 }

export class ProxyRegistry implements ProxySource {
  readonly #options: ProxyRegistryOptions
  readonly #proxies = new Set<ConnectedProxy>()
  readonly #fleets = new Map<string, NamespaceFleet>()
  readonly #home: ProxyHome
  readonly #listeners = new Set<() => void>()
  /** All of them as they are listed; made anew after somebody came, went or took another id. */
  #sorted: readonly ConnectedProxy[] | undefined
  #refs = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #cancelTelling: Cancel | undefined

  constructor(options: ProxyRegistryOptions) {
    this.#options = options
    this.#home = {
      clock: options.clock,
      join: (namespace, member) => this.#join(namespace, member),
      left: (namespace, member) => this.#left(namespace, member),
      renamed: () => {
        this.#sorted = undefined
      },
      changed: this.#changed,
      gone: proxy => {
        this.#proxies.delete(proxy)
        this.#sorted = undefined
      },
    }
  }

  /** Proxies that are connected. */
  get size(): number {
    return this.#proxies.size
  }

  join(facts: ProxyFacts): ProxyRecord {
    const { server, thread = 0 } = this.#options
    const proxy = new ConnectedProxy(facts, `${server}/${thread}.${++this.#refs}`, this.#home)
    this.#proxies.add(proxy)
    this.#sorted = undefined
    return proxy
  }

  /** The version whose states have been handed to every stream here that follows one of them; 0 where nobody follows any. */
  settledVersion(namespace: string): number {
    return this.#fleets.get(namespace)?.settledVersion ?? 0
  }

  /** How many proxies have something unconfirmed in each namespace that any follows, those with most of them first, else by name. */
  behindCounts(): readonly (readonly [namespace: string, behind: number])[] {
    const counts = [...this.#fleets].map(([namespace, { behind }]) => [namespace, behind] as const)
    return counts.sort(([a, behindOfA], [b, behindOfB]) => behindOfB - behindOfA || (a < b ? -1 : 1))
  }

  /** How many are connected by each protocol. */
  protocolCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>([
      ['nameplane.v1', 0],
      ['io.linkerd.mesh', 0],
    ])
    for (const { facts } of this.#proxies) counts.set(facts.protocol, (counts.get(facts.protocol) ?? 0) + 1)
    return counts
  }

  /** As ProxySource's; it reads what is there. */
  async page(query: ProxiesQuery): Promise<ProxiesPart> {
    return this.pageNow(query)
  }

  /** The same at once. */
  pageNow({ namespace, isBehind: onlyBehind = false, after, limit }: ProxiesQuery): ProxiesPart {
    const { server } = this.#options
    const newest = this.#newest()
    const hasFallenBehind = this.#judge(newest, namespace)
    const begin = after === undefined ? undefined : parseCursor(after)
    const chosen: ConnectedProxy[] = []
    let total = 0
    let behind = 0
    for (const proxy of this.#inOrder()) {
      if (namespace !== undefined && proxy.namespaces.get(namespace)?.isFollowed !== true) continue
      total++
      const isLate = hasFallenBehind(proxy)
      if (isLate) behind++
      if ((onlyBehind && !isLate) || chosen.length > limit) continue
      if (begin === undefined || compareProxies(proxy, begin) > 0) chosen.push(proxy)
    }
    const states = chosen.values().map(proxy => proxy.state(server, newest, namespace))
    const proxies = firstPage(states, limit)
    const last = proxies.length < chosen.length ? proxies.at(-1) : undefined
    return { proxies, total, behind, ...(last !== undefined && { next: cursorOf(last) }) }
  }

  followApplied({ namespace, version }: DtabVersion, listener: AppliedListener): Unwatch {
    let told: ProxiesApplied | undefined
    const tell = (): void => {
      const now = this.#fleets.get(namespace)?.applied(version) ?? none
      if (told?.total === now.total && told.applied === now.applied) return
      told = now
      listener.heard(now)
    }
    this.#listeners.add(tell)
    tell()
    return () => {
      this.#listeners.delete(tell)
      if (this.#listeners.size > 0) return
      this.#cancelTelling?.()
      this.#cancelTelling = undefined
    }
  }

  #inOrder(): readonly ConnectedProxy[] {
    this.#sorted ??= [...this.#proxies].sort(compareProxies)
    return this.#sorted
  }

  /** Looked up once per namespace and page. */
  #newest(): (namespace: string) => number {
    const { newest = () => 0 } = this.#options
    const known = new Map<string, number>()
    return namespace => {
      const version = known.get(namespace) ?? newest(namespace)
      known.set(namespace, version)
      return version
    }
  }

  /** Whether a proxy has something unconfirmed, or follows names of a namespace in which this server itself is behind. */
  #judge(newest: (namespace: string) => number, only: string | undefined): (proxy: ConnectedProxy) => boolean {
    const late = new Set<string>()
    for (const [namespace, { settledVersion }] of this.#fleets)
      if (newest(namespace) > settledVersion) late.add(namespace)
    if (only !== undefined) return proxy => late.has(only) || proxy.namespaces.get(only)?.isBehind === true
    return ({ behind, namespaces }) => behind > 0 || overlap(namespaces, late)
  }

  #join(namespace: string, member: Progress): NamespaceFleet {
    const known = this.#fleets.get(namespace)
    const fleet = known ?? this.#openFleet(namespace)
    fleet.members.add(member)
    this.#changed()
    return fleet
  }

  #openFleet(namespace: string): NamespaceFleet {
    const { clock, kernel } = this.#options
    const rules = this.#options.namespace(namespace)
    const fleet = new NamespaceFleet({ clock, kernel, rules, onChange: this.#changed })
    this.#fleets.set(namespace, fleet)
    return fleet
  }

  #left(namespace: string, member: Progress): void {
    const fleet = this.#fleets.get(namespace)
    fleet?.members.delete(member)
    if (fleet?.members.size === 0) {
      fleet.close()
      this.#fleets.delete(namespace)
    }
    this.#changed()
  }

  /** Costs nothing while nobody listens. */
  readonly #changed = (): void => {
    if (this.#listeners.size === 0 || this.#cancelTelling !== undefined) return
    const { clock } = this.#options
    const waitMs = Math.max(firstToldMs, this.#toldAt + stepMs - clock.monotonic())
    this.#cancelTelling = clock.after(waitMs, () => {
      this.#cancelTelling = undefined
      this.#toldAt = clock.monotonic()
      for (const tell of [...this.#listeners]) tell()
    })
  }
}

/** Goes through the smaller of the two. */
function overlap(a: ReadonlyMap<string, unknown>, b: ReadonlySet<string>): boolean {
  const [few, many] = a.size < b.size ? [a, b] : [b, a]
  for (const name of few.keys()) if (many.has(name)) return true
  return false
}
