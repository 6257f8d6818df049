// What a store asks of a Consul agent: keys, transactions, sessions. Knows nothing of dtabs or layouts.

/** A key that is there. */
export interface KvEntry {
  readonly key: string
  /** Empty in the answer to a transaction that writes. */
  readonly value: Uint8Array
  readonly flags: number
  /** Consul's index of the last change; a set of what is there already is none. */
  readonly modifyIndex: number
  /** Of the session that holds it. */
  readonly session?: string
}

/** A step of a transaction. An index of 0 says that the key must not be there. */
export type KvOperation =
  | { readonly kind: 'set'; readonly key: string; readonly value: Uint8Array; readonly flags?: number }
  | {
      readonly kind: 'cas'
      readonly key: string
      readonly index: number
      readonly value: Uint8Array
      readonly flags?: number
    }
  | { readonly kind: 'delete' | 'delete-tree' | 'check-absent'; readonly key: string }
  | { readonly kind: 'delete-cas'; readonly key: string; readonly index: number }
  | { readonly kind: 'lock'; readonly key: string; readonly value: Uint8Array; readonly session: string }

/** refused: nothing was changed; `operations` are the places of those that did not hold. */
export type KvOutcome =
  | { readonly kind: 'done'; readonly entries: readonly KvEntry[] }
  | { readonly kind: 'refused'; readonly operations: ReadonlySet<number> }

/** A key and the index that it is expected to have. */
export interface KvExpectation {
  readonly key: string
  readonly index: number
}

/** Consul takes so many operations in one transaction. */
export const maxKvOperations = 128

/** Consul removes a session between its time to live and twice that, in milliseconds. */
export const sessionTtlMs = { min: 10_000, max: 86_400_000 } as const

/**
 * Every call ends within ten seconds and rejects with a ConsulError; one that fails for lack of rights has status 403, one that is
 * too large for the agent 413. Reads are consistent: they see every write that was answered before they began.
 */
export interface ConsulKv {
  /** At one moment, in the order of the keys; at most `maxKvOperations` of them. */
  read(keys: readonly string[]): Promise<readonly (KvEntry | undefined)[]>
  /** The places of those that are not as expected, a missing key among them; no value is sent. At most `maxKvOperations`. */
  compare(expected: readonly KvExpectation[]): Promise<ReadonlySet<number>>
  /** All or nothing. An answer of Consul means that it is on the disks of a majority. */
  transact(operations: readonly KvOperation[]): Promise<KvOutcome>
  /** The keys below a prefix, sorted; with `folded` those with another slash are shown once, up to that slash. */
  keys(prefix: string, options?: { readonly folded?: boolean }): Promise<readonly string[]>
  /** The index of the last change of any key, given one that is not there; undefined when it is. */
  lastIndex(absentKey: string): Promise<number | undefined>
  /** Gives its id. It ends by itself between ttlMs and twice that after its last renewal, and its keys go with it. */
  createSession(name: string, ttlMs: number): Promise<string>
  /** False when there is no such session any more. */
  renewSession(id: string): Promise<boolean>
  /** Ends it and deletes its keys; harmless when there is none. */
  destroySession(id: string): Promise<void>
  /** Calls under way and those that wait for one of the connections. */
  load(): { readonly inUse: number; readonly waiting: number }
  /** Ends what is under way. */
  close(): void
}
