// Sources as an operator sees them: one for each backend, with the names that are followed in it. Knows no backend.
import type { Result } from '../naming/result.ts'

/** What a name's data is worth: `stale` and `failed` as a cell's, `held` when its loss is held back. */
export type SourceNameState = 'ok' | 'pending' | 'stale' | 'failed' | 'held'

/**
 * `idle` when nothing is followed, `pending` when nothing has answered yet, `degraded` when a name is stale or failed,
 * `held` when a loss is held back, whatever else is wrong.
 */
export type SourceState = 'ok' | 'pending' | 'degraded' | 'held' | 'idle'

export interface SourceCounts extends Readonly<Record<SourceNameState, number>> {
  readonly total: number
}

/** One backend. Instants in ms since 1970, durations in ms. */
export interface SourceSummary {
  /** A namer's prefix without `/#/`, or `storage`, or `dns`. */
  readonly id: string
  readonly kind: string
  /** Of a namer: the whole prefix, as text. */
  readonly prefix?: string
  readonly state: SourceState
  readonly counts: SourceCounts
  readonly observers: number
  readonly changedAt?: number
  /** When the backend was last heard, whatever the name. */
  readonly contactAt?: number
  readonly ageMs?: number
  /** How long ago the name that was not heard for longest was heard or, if never, opened. */
  readonly oldestAgeMs?: number
  /** The next three are of the names that fail now: since when, the most frequent error, the soonest try. */
  readonly failingSince?: number
  readonly lastError?: string
  readonly retryAt?: number
  /** Absent where losses are not held back. */
  readonly guard?: { readonly held: number; readonly since?: number }
}

/**
 * One name of a source. `observers` leaves out the guard, which watches what it holds; a held name that no source is open
 * for has only `heldSince`.
 */
export interface SourceName {
  readonly name: string
  readonly state: SourceNameState
  readonly observers: number
  readonly openedAt?: number
  readonly changedAt?: number
  readonly contactAt?: number
  /** Since it was heard or, if never, opened. */
  readonly ageMs?: number
  /** What the backend calls the newest answer. */
  readonly version?: string
  readonly failingSince?: number
  readonly lastError?: string
  readonly retryAt?: number
  readonly heldSince?: number
}

export interface NamesQuery {
  /** Only names that come after this one. */
  readonly after?: string
  readonly limit: number
  readonly state?: SourceNameState
}

export interface SourcePage {
  readonly source: SourceSummary
  /** Sorted by name. */
  readonly names: readonly SourceName[]
  /** `after` of the next page; absent on the last. */
  readonly next?: string
}

export interface Release {
  readonly author: string
  readonly message: string
}

/** What is known of the backends now; nothing is kept here. */
export interface Sources {
  /** Configured namers in their order, then the rest by id. */
  list(): readonly SourceSummary[]
  /** `source-not-found`, with the ids that there are. */
  names(id: string, query: NamesQuery): Result<SourcePage>
  /**
   * Publishes every loss that the source holds back; gives how many names there were. `source-not-found`;
   * `source-without-guard` where losses are not held back.
   */
  release(id: string, by: Release): Result<number>
}
