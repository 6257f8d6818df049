// What the APIs may ask of the fleet: every connected proxy over all servers, and which versions it goes by. Knows no transport.

/** A namespace as a proxy has it. */
export interface ProxyNamespace {
  readonly namespace: string
  /** Names of it that the proxy follows. */
  readonly names: number
  /** The version that it has applied; 0 before any. */
  readonly version: number
  /** Since when the server has had something for it that it has not confirmed, in ms since 1970; absent when it has all. */
  readonly behindSince?: number
}

export interface ProxyState {
  /** What it calls itself, else its address. */
  readonly id: string
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
  /** Sorted by namespace. */
  readonly namespaces: readonly ProxyNamespace[]
  /** States that it refused since it connected, and the last of them. */
  readonly refusals: number
  readonly lastRefusal?: { readonly name: string; readonly reason: string; readonly at: number }
}

export interface ProxiesQuery {
  readonly namespace?: string
  /** Only those that have not applied the newest version of some namespace. */
  readonly isBehind?: boolean
  readonly after?: string
  readonly limit: number
}

export interface ProxiesPage {
  /** Sorted by id. */
  readonly proxies: readonly ProxyState[]
  /** Of all that match. */
  readonly total: number
  /** `after` of the next page; absent on the last. */
  readonly next?: string
  /** Servers that could not be asked, with why: what is connected to them is missing here. */
  readonly silent: readonly { readonly id: string; readonly error: string }[]
}

/** How far a version has come: proxies that follow names of the namespace, and those of them that have applied it or a later one. */
export interface ProxiesApplied {
  readonly total: number
  readonly applied: number
}

export interface Proxies {
  list(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPage>
  /** Resolves once the share of proxies, 0 to 1, has applied the version, or when the time is over; never rejects for a server that is away. */
  whenApplied(wanted: {
    readonly namespace: string
    readonly version: number
    readonly share: number
    readonly timeoutMs: number
    readonly signal: AbortSignal
  }): Promise<ProxiesApplied & { readonly isReached: boolean; readonly silent: ProxiesPage['silent'] }>
}
