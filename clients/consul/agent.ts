// What the product asks of a Consul agent. Knows nothing of names, endpoints or stores.

/**
 * One read: the path after /v1 (`/health/service/web`), its segments percent-encoded by the caller, and its parameters
 * without index, wait and the consistency mode.
 */
export interface ConsulQuery {
  readonly path: string
  readonly parameters: Readonly<Record<string, string>>
  /** 404 with an index is an answer, an empty list, as for keys of which there are none. */
  readonly absentIsEmpty?: boolean
  /**
   * Every read that is not held is consistent, whatever the mode of the others: the first one, the first one after a
   * failure, and those that check the rest. One that is held brings nothing older than what was known.
   */
  readonly beginsConsistent?: boolean
}

/** What came with a well-formed answer. */
export interface ConsulAnswer {
  /** The decoded JSON. */
  readonly body: unknown
  /** X-Consul-Index, for people only: states are never ordered by it. */
  readonly version: string
  /** Whether the agent left out what the token may not see; it does not say what, and never says so without a token. */
  readonly isFiltered: boolean
  /** When the first byte of the answer came, in ms of the clock's `monotonic`. */
  readonly receivedAt: number
}

/** Where a followed query reports. No call comes after the follow was ended. */
export interface ConsulFollower {
  /**
   * A well-formed answer that differs from the one before; the first one and the first one after a failure always, so
   * that a follower need not remember what to take back. A throw counts as a malformed answer: it fails, and the loop goes on.
   * The next request waits for a promise, and nothing else is told before it settles.
   */
  changed(answer: ConsulAnswer): void | Promise<void>
  /** A well-formed answer with nothing new. */
  same(version: string): void
  /** The query failed; it is asked again at `retryAt`, in ms since 1970. What was reported before stays true for all we know. */
  failed(error: Error, retryAt: number): void
}

/** Load on the agent's connections. */
export interface ConsulLoad {
  /** Followed queries. */
  readonly followed: number
  /** False while nothing is asked, because no connection can be made or the agent is silent. */
  readonly isReachable: boolean
  /** Requests under way: of followed queries at most `limit`, and the one that asks whether the agent is there. */
  readonly inUse: number
  readonly waiting: number
  readonly limit: number
  /** Requests sent since the start. */
  readonly requests: number
}

/** One agent. Whoever made it closes it. */
export interface ConsulAgent {
  /** Asks again and again by blocking queries until the returned function is called (harmless twice). */
  follow(query: ConsulQuery, follower: ConsulFollower): () => void
  /** The agent's own datacenter and DNS domain (`dc1`, `consul`). Rejects when the agent cannot say. */
  self(): Promise<ConsulSelf>
  /** Every datacenter that the agent knows of. */
  datacenters(): Promise<readonly string[]>
  load(): ConsulLoad
  /** Ends every follow and every connection. */
  close(): void
}

export interface ConsulSelf {
  readonly datacenter: string
  readonly domain: string
}
