// What the APIs may ask of the fleet: every connected proxy over all servers, and which versions it goes by. Knows no transport.
import type { Unwatch } from '../watch/cell.ts'
import type { DtabVersion } from './servers.ts'

/** A namespace as a proxy has it. */
export interface ProxyNamespace {
  readonly namespace: string
  /** Names of it that the proxy follows. */
  readonly names: number
  /** The version that it has applied; 0 before any. */
  readonly version: number
  /** The newest version that any server goes by, as far as the one that tells knows. */
  readonly newest: number
  /** Since when the server has had something for it that it has not confirmed, in ms since 1970; absent when it has all. */
  readonly behindSince?: number
}

export interface ProxyState {
  /** What it calls itself, else its address. Several may have the same. */
  readonly id: string
  /** Tells it from every other proxy of every server: no two have the same while both are connected. Without blanks. */
  readonly ref: string
  /** The server that it is connected to. */
  readonly server: string
  readonly protocol: 'nameplane.v1' | 'io.linkerd.mesh'
  /** Whether it confirms what it has applied; otherwise what was sent counts. */
  readonly confirms: boolean
  /** Of its software; absent where it does not say. */
  readonly version?: string
  readonly address: string
  /** In ms since 1970. */
  readonly since: number
  readonly streams: number
  /** At most `maxNamespacesTold`, those in which it is behind before others; sorted by namespace. */
  readonly namespaces: readonly ProxyNamespace[]
  /** All that it follows names of. */
  readonly namespaceCount: number
  /** States that it refused since it connected, and the last of them. */
  readonly refusals: number
  readonly lastRefusal?: { readonly name: string; readonly reason: string; readonly at: number }
}

/** Namespaces of one proxy in a list. */
export const maxNamespacesTold = 1_000

/** A page of proxies that tell of so many ends, whatever its limit: to make and to write it must not take long. */
const manyNamespaces = 10_000

export interface ProxiesQuery {
  /** Only proxies that follow names of it, and of each this namespace alone. */
  readonly namespace?: string
  /** Only those that have not applied the newest version of some namespace, or have not confirmed something else. */
  readonly isBehind?: boolean
  /** `next` of the page before. */
  readonly after?: string
  readonly limit: number
}

/** What one place of the fleet knows. */
export interface ProxiesPart {
  /** Sorted as `compareProxies` does; may be fewer than asked for though more follow. */
  readonly proxies: readonly ProxyState[]
  /** Of all that follow names of the namespace, or of all there are. */
  readonly total: number
  /** Of these, those that are behind. */
  readonly behind: number
  /** `after` of the next page; absent on the last. */
  readonly next?: string
}

export interface ProxiesPage extends ProxiesPart {
  /** Servers that could not be asked, with why: what is connected to them is missing here. */
  readonly silent: readonly SilentServer[]
}

export interface SilentServer {
  readonly id: string
  readonly error: string
}

/** How far a version has come: proxies that follow names of the namespace, and those of them that have applied it or a later one. */
export interface ProxiesApplied {
  readonly total: number
  readonly applied: number
}

/** Nothing is called after `lost`, or after the listening was ended. */
export interface AppliedListener {
  /** At once, then after changes, the newest only; ten times a second at most. */
  heard(counts: ProxiesApplied): void
  lost(reason: string): void
}

/** A place where proxies are connected: this thread, another one, another server. */
export interface ProxySource {
  /** Rejects when it cannot be asked. */
  page(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPart>
  /** Tells how far a version has come until the answer is called; `heard` may be called before it returns. */
  followApplied(wanted: DtabVersion, listener: AppliedListener): Unwatch
}

/** How many are enough: a share, 0 to 1, of those that follow names of the namespace, or so many. */
export type EnoughProxies = { readonly share: number } | { readonly count: number }

export interface ProxiesWait extends DtabVersion {
  readonly enough: EnoughProxies
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface ProxiesReport extends ProxiesApplied {
  /**
   * A share is not reached while a server is silent, or the store does not say who is present: nobody knows of the proxies
   * there.
   */
  readonly isReached: boolean
  readonly silent: readonly SilentServer[]
}

export interface Proxies {
  /** Asks all servers; one that does not answer in time is silent. Never rejects for a server that is away. */
  list(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPage>
  /** Resolves once enough proxies have applied the version, or when the time is over; never rejects for a server that is away. */
  whenApplied(wanted: ProxiesWait): Promise<ProxiesReport>
}

/** The order of every list. */
export function compareProxies(a: Pick<ProxyState, 'id' | 'ref'>, b: Pick<ProxyState, 'id' | 'ref'>): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  if (a.ref === b.ref) return 0
  return a.ref < b.ref ? -1 : 1
}

/** The first of them that make a page: at most `limit`, fewer where they tell of very many namespaces. Takes one more. */
export function firstPage(proxies: Iterable<ProxyState>, limit: number): readonly ProxyState[] {
  const page: ProxyState[] = []
  let told = 0
  for (const proxy of proxies) {
    if (page.length >= limit || told >= manyNamespaces) break
    page.push(proxy)
    told += proxy.namespaces.length
  }
  return page
}

/** `after` for what follows this proxy. */
export function cursorOf({ id, ref }: Pick<ProxyState, 'id' | 'ref'>): string {
  return `${ref} ${id}`
}

/** The proxy that a cursor was made of; undefined for a text that is none. */
export function parseCursor(cursor: string): Pick<ProxyState, 'id' | 'ref'> | undefined {
  const blank = cursor.indexOf(' ')
  return blank < 1 ? undefined : { ref: cursor.slice(0, blank), id: cursor.slice(blank + 1) }
}

/** Whether it lacks something: news that it has not confirmed, or a version that its server does not go by yet. */
export function isBehind({ version, newest, behindSince }: ProxyNamespace): boolean {
  return behindSince !== undefined || version < newest
}
