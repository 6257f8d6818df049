// What the product asks of an etcd cluster (v3). Knows nothing of dtabs, and of gRPC only that it is behind this.

/**
 * A key holds one character per byte, so that any key of anybody survives. Revisions are whole numbers below 2^53; leases
 * and clusters are named by texts, for their numbers are not.
 */
export interface EtcdEntry {
  readonly key: string
  /** Empty where only keys were asked for. */
  readonly value: Buffer
  /** The revision of the last write of the key. */
  readonly modRevision: number
}

/** How an answer stands in the history of its cluster. */
export interface EtcdMoment {
  readonly clusterId: string
  readonly revision: number
  /** Of the leader's election; never goes back while a cluster lives. */
  readonly term: number
}

export interface RangeQuery {
  readonly key: string
  /** The first key behind the range; the one key alone when absent. */
  readonly end?: string
  readonly limit?: number
  /** The state at this revision; the newest when absent. */
  readonly revision?: number
  readonly keysOnly?: boolean
  /** First keys first when absent. The server reads the whole range to turn it round. */
  readonly order?: 'last-key-first'
}

export interface RangeAnswer {
  readonly entries: readonly EtcdEntry[]
  /** Whether the limit cut the range off. */
  readonly more: boolean
}

/** What must hold for a transaction. A key that is not there has the revision 0. */
export type Comparison =
  | { readonly kind: 'modified-at'; readonly key: string; readonly revision: number }
  | { readonly kind: 'leased-to'; readonly key: string; readonly lease: string }

export type Operation =
  | ({ readonly kind: 'range' } & RangeQuery)
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: string }
  | { readonly kind: 'delete'; readonly key: string; readonly end?: string }
  | { readonly kind: 'txn'; readonly txn: Transaction }

/** At most 128 comparisons and as many operations each, by etcd's own default; no key may be written twice. */
export interface Transaction {
  readonly compare: readonly Comparison[]
  readonly success: readonly Operation[]
  readonly failure?: readonly Operation[]
}

/** `results` are those of the branch that was taken, in its order. */
export interface TransactionAnswer {
  readonly succeeded: boolean
  readonly results: readonly OperationResult[]
}

export type OperationResult =
  | ({ readonly kind: 'range' } & RangeAnswer)
  | { readonly kind: 'put' }
  | { readonly kind: 'delete' }
  | ({ readonly kind: 'txn' } & TransactionAnswer)

export type Timed<T> = T & { readonly at: EtcdMoment }

export type EtcdEvent =
  | { readonly kind: 'put'; readonly entry: EtcdEntry }
  | { readonly kind: 'delete'; readonly entry: EtcdEntry }

/** What is followed: everything from `key` up to `end`. */
export interface FollowedRange {
  readonly key: string
  readonly end: string
  /** From this key on a reading brings no values; all of them when absent. Changes have theirs always. */
  readonly keysOnlyFrom?: string
}

/** Where a followed range reports. No call comes after the follow was ended; none may throw. */
export interface RangeFollower {
  /** All is read anew from here on; what an earlier reading brought and no reset has ended counts for nothing. */
  began(): void
  /** A part of the reading, each in a turn of its own: what is costly about an entry is best done here. */
  read(entries: readonly EtcdEntry[]): void
  /**
   * The reading is whole: that is everything there is, at one revision. `isRewound` when the cluster has gone back to an
   * older state or is another one: then what was heard before counts for nothing.
   */
  reset(revision: number, isRewound: boolean): void
  /** The changes of one or more revisions, whole and in order. */
  changed(events: readonly EtcdEvent[]): void
  /** The cluster says that nothing up to this revision is missing. */
  contact(revision: number): void
  /** Nothing is known since; the next try is at `retryAt`, in ms since 1970. A reset follows when it is well again. */
  failed(error: Error, retryAt: number): void
}

/**
 * Reads see every write that was answered before they began. Each call ends within five seconds and rejects with an
 * EtcdError. It may be sent more than once, to other endpoints too, when the outcome of the first is not known: make
 * transactions that do no harm the second time. Whoever made the cluster closes it.
 */
export interface EtcdCluster {
  range(query: RangeQuery, withinMs?: number): Promise<Timed<RangeAnswer>>
  txn(transaction: Transaction): Promise<Timed<TransactionAnswer>>
  /** A new lease of so many whole seconds; etcd may make it longer when that is less than an election takes. */
  grantLease(seconds: number): Promise<string>
  /** Begins its time anew; false when it has run out. */
  renewLease(lease: string): Promise<boolean>
  /** Ends it, and with it the keys on it. Harmless when it has run out. */
  revokeLease(lease: string): Promise<void>
  /** Follows by one watch on a connection of its own until the returned function is called (harmless twice). */
  follow(range: FollowedRange, follower: RangeFollower): () => void
  /** Ends every follow and every connection. */
  close(): void
}
