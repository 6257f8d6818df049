// What a backend that several servers share (etcd, Consul, Kubernetes) must be able to do. What a write means, what becomes
// of edits from outside and what observers see is the same for all of them: see shared-store.ts.
import type { ClaimTable } from '../claims.ts'
import type { HistoryQuery, PresenceRecord, Version, VersionMeta, VersionSummary } from '../store.ts'
import type { KeyRecord } from '../write-rules.ts'

/** What we wrote of a head, without its text. */
export interface HeadRecord {
  readonly version: number
  readonly meta: VersionMeta
  readonly deleted: boolean
  /** Of its text; 0 for a tombstone. */
  readonly bytes: number
}

/** How a namespace stands in the backend at one moment, without its text. */
export interface HeadSighting {
  readonly namespace: string
  /** What we wrote last; absent when we never did, or when somebody has removed it. */
  readonly record?: HeadRecord
  /** Whether text and record were written together; false after an edit or a deletion from outside. True where there is neither. */
  readonly isOurs: boolean
  /** What a commit compares with. Equal tokens of a namespace mean equal content; nothing else is known of it outside the backend. */
  readonly token: string
  /** Grows with every change in the backend (a revision, an index): the older of two sightings has the smaller one. */
  readonly order: number
}

export interface StoredHead extends HeadSighting {
  /** The bytes of the text where people see and edit it; absent when there is none. */
  readonly content?: Uint8Array
}

export interface Commit {
  /** What must stand unchanged. */
  readonly over: HeadSighting
  /** The new head; a tombstone has no text. */
  readonly version: Version
  /** To be remembered in the same step, under `version.meta.idempotencyKey`. */
  readonly fingerprint?: string
  /**
   * The last version of an import: what was put before it counts with it. Any other commit to a namespace that never had a
   * head drops what was put there, in the same step as far as anybody can see.
   */
  readonly endsImport?: boolean
}

/**
 * moved: the namespace no longer is as in `over`. taken: the number belongs to a write that was cut off; `next`, or the one
 * after it where none is given, may be free. Nothing was changed by either.
 */
export type CommitOutcome =
  | { readonly kind: 'written'; readonly sighting: HeadSighting }
  | { readonly kind: 'moved' }
  | { readonly kind: 'taken'; readonly next?: number }

/** Where a followed backend reports. No call comes after the follow was ended. */
export interface HeadFollower {
  /**
   * Everything, read as a whole at `order`; what is missing is gone. `isRewound` when the backend has gone back to an older
   * state, as after a restore: then what was known before counts for nothing, orders included.
   */
  reset(heads: readonly HeadSighting[], order: number, isRewound: boolean): void
  changed(heads: readonly HeadSighting[]): void
  /** Heard, with nothing new. */
  contact(): void
  /** Nothing is known since; the next try is at `retryAt`, in ms since 1970. A reset follows when it is well again. */
  failed(error: Error, retryAt: number): void
}

export interface PresenceFollower {
  /** Every record there is, in any order. */
  changed(records: readonly PresenceRecord[]): void
  failed(error: Error, retryAt: number): void
}

/**
 * Every call ends within seconds, whatever the backend does, and rejects with a NamingError: store-unavailable (the outcome
 * of a commit is unknown then), store-full, store-corrupt, dtab-too-large. Reads go to the backend and see every commit
 * that has ended before they began, through whichever server.
 */
export interface SharedBackend {
  /** The kind, for people. */
  readonly kind: string
  readonly maxDtabBytes: number
  readHead(namespace: string): Promise<StoredHead>
  /** undefined for one that never became a head too. */
  readVersion(namespace: string, version: number): Promise<Version | undefined>
  readHistory(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]>
  /**
   * Undefined too when the write that left the key was cut off before its version became the head. With `asOf`, the head as it
   * was read just now, commits after that need not be seen.
   */
  readKey(namespace: string, key: string, asOf?: HeadSighting): Promise<KeyRecord | undefined>
  /** Durable once it resolves: head, text, old version and key all together, or nothing. */
  commit(commit: Commit): Promise<CommitOutcome>
  /**
   * Writes an old version of a namespace without a head, over what was put there before; it counts once a commit ends the import.
   * dtab-exists, with nothing changed, when a head has that number.
   */
  putVersion(version: Version): Promise<void>
  /** Drops the versions that were put and that no commit has made count, and nothing else. For who holds the lease of imports. */
  dropLeftOvers(namespace: string): Promise<void>
  dropVersions(namespace: string, versions: readonly number[]): Promise<void>
  /** Drops the keys that were first used before then, in ms since 1970; some may be left for the next call. */
  dropKeys(before: number): Promise<void>
  /** One watch for all namespaces, for ever, until the returned function is called (harmless twice). At most one at a time. */
  followHeads(follower: HeadFollower): () => void
  followPresence(follower: PresenceFollower): () => void
  /** Leases and presence on what the backend itself lets run out: clocks of machines are never compared. */
  readonly claims: ClaimTable
  close(): Promise<void>
}
