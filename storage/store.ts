// The contract of a store: versioned dtabs per namespace, observed as cells. Text only: parsing is the callers' part.
import type { TextPosition } from '../naming/errors.ts'
import type { Cell } from '../watch/cell.ts'

/** The group of every source that reads the store: see SourceOptions. */
export const storageGroup = 'storage'

/** Who wrote a version, when (ms since 1970) and why. `verified` is false until there is login. */
export interface VersionMeta {
  readonly author: string
  readonly verified: boolean
  readonly message: string
  readonly time: number
  /** The version that was head before; 0 for the first of a namespace. */
  readonly parent: number
  readonly idempotencyKey?: string
  /** Where the request came from, an IP address; absent where there was no request. */
  readonly address?: string
}

/** One version of a namespace; `text` is absent in a tombstone. Version numbers grow from 1 and are never used again; there may be gaps. */
export interface Version {
  readonly namespace: string
  readonly version: number
  readonly text?: string
  readonly meta: VersionMeta
}

/** A version without its text: a page of a hundred must not weigh a hundred dtabs. `bytes` are those of its text, 0 for a tombstone. */
export interface VersionSummary {
  readonly namespace: string
  readonly version: number
  readonly deleted: boolean
  readonly bytes: number
  readonly meta: VersionMeta
}

/**
 * What a write expects of the head. `present` and `absent` look at whether the namespace exists (a tombstone is absent);
 * `version` compares the head's number, a tombstone's too, 0 for a namespace that never was.
 */
export type Expectation =
  | { readonly kind: 'anything' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'present' }
  | { readonly kind: 'version'; readonly versions: readonly number[] }

/** fingerprint: a digest of method, query and body, so that a key used for another request is refused. */
export interface Idempotency {
  readonly key: string
  readonly fingerprint: string
}

export interface WriteRequest {
  readonly namespace: string
  /** Absent: delete. */
  readonly text?: string
  readonly expect: Expectation
  readonly author: string
  readonly verified: boolean
  readonly message: string
  /** Where the request came from, an IP address. */
  readonly address?: string
  readonly idempotency?: Idempotency
}

export interface WriteResult {
  readonly written: Version
  /** What was replaced; absent for the first version, and when it is kept no longer. */
  readonly replaced?: Version
  /** True when the idempotency key had made this version before and nothing was written now. */
  readonly repeated: boolean
}

/** A namespace in a listing; `deleted` ones are listed too, so that they can be restored. */
export interface NamespaceSummary {
  readonly namespace: string
  readonly version: number
  readonly deleted: boolean
  readonly author: string
  readonly verified: boolean
  readonly message: string
  readonly time: number
  readonly bytes: number
  /** Where the head's request came from. */
  readonly address?: string
}

export interface HistoryQuery {
  /** Only versions below this one. */
  readonly before?: number
  /** At most this many, newest first. */
  readonly limit: number
}

/**
 * A text that stands in the backend where a head should, put there by somebody else, and is no dtab. It is no version and
 * is served to nobody: the head is what it was before, until a good text or a write takes its place.
 */
export interface RefusedText {
  readonly namespace: string
  /** What is wrong with it, for people. */
  readonly reason: string
  /** Where in the text, when it does not parse. */
  readonly position?: TextPosition
  readonly bytes: number
  /** When this server saw it first, in ms since 1970. */
  readonly since: number
}

/** A held lease. It ends not before its ttl after the last renewal and by twice it. */
export interface Lease {
  readonly name: string
  /** True while this holder may act. */
  readonly held: Cell<boolean>
  /** Gives it up; harmless when called twice. */
  release(): Promise<void>
}

/** A server's or proxy's sign of life; gone at the latest twice its ttl after the last renewal. */
export interface PresenceRecord {
  readonly id: string
  readonly data: string
  readonly expiresAt: number
}

export interface Presence {
  update(data: string): Promise<void>
  withdraw(): Promise<void>
}

/**
 * Failures are NamingErrors: dtab-not-found (expect present, and any delete of what does not exist), dtab-exists (absent), dtab-version-mismatch (detail holds
 * the present version), dtab-too-large, idempotency-key-reused, store-unavailable, store-busy, store-full.
 * A write that rejects changed nothing, except that after store-unavailable the outcome may be unknown: repeat it with its key.
 */
export interface Store {
  readonly kind: string
  /** Bytes of UTF-8 text one dtab may have. */
  readonly maxDtabBytes: number
  /** The newest version, a tombstone included; undefined when the namespace never was. Always reads the backend. */
  head(namespace: string): Promise<Version | undefined>
  /** One old version; undefined when there is none. */
  version(namespace: string, version: number): Promise<Version | undefined>
  /** Newest first, no texts. Empty for an unknown namespace. */
  history(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]>
  /** Head and version in one atomic step; resolves once it is durable. */
  write(request: WriteRequest): Promise<WriteResult>
  /** What a key has made already; undefined when it is new here. For callers whose text depends on the head. */
  recall(namespace: string, idempotency: Idempotency): Promise<WriteResult | undefined>
  /** The head as it changes, a tombstone included; value undefined while the namespace never was. One upstream watch whatever the number of observers. */
  observe(namespace: string): Cell<Version | undefined>
  /** Every namespace, sorted by name, tombstones included. */
  list(): Cell<readonly NamespaceSummary[]>
  /** What others left in the backend that is no dtab, sorted by namespace; empty where nobody else can write. */
  refusals(): Cell<readonly RefusedText[]>
  /** Somebody goes by this version already: a head that is older here is read again at once. */
  noticed(namespace: string, version: number): void
  /** Drops these old versions for good; the head's number is passed over. */
  forget(namespace: string, versions: readonly number[]): Promise<void>
  /**
   * The versions of a namespace that never was here, with the numbers and facts that they have, oldest first; the last
   * becomes the head, in one step. dtab-exists when the namespace has a version here; bad-request when the numbers do not
   * grow. What rejects, or is cut off by a crash, leaves the namespace as one that never was.
   */
  importHistory(namespace: string, versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version>
  /** Waits for nothing: resolves to undefined when another holds it. ttlMs is at least 10,000. Renewed by itself while held. */
  lease(name: string, ttlMs: number): Promise<Lease | undefined>
  /** Publishes a record that is renewed until withdrawn. */
  announce(id: string, data: string, ttlMs: number): Promise<Presence>
  /** The records that have not run out, sorted by id. A renewal alone is not delivered. */
  presence(): Cell<readonly PresenceRecord[]>
  /** Ends watches and connections; pending writes settle first. */
  close(): Promise<void>
}
