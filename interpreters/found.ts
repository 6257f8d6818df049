// What a backend's loop says of one name, and where it says it. Knows no backend.
import type { Endpoint, Metadata } from '../naming/replica-set.ts'
import type { Moments } from './discovery-metrics.ts'

/** What a backend says of one name now: all of it, never a difference. `exists: false` has no endpoints. */
export interface Found {
  readonly exists: boolean
  readonly endpoints: readonly Endpoint[]
  readonly metadata?: Metadata
  /** Why this is known not to be the whole truth: it is shown, and stale with this reason. */
  readonly flaw?: Error
}

/** `receivedAt` is when the first byte of the answer came; `triggeredAt` when the change happened. */
export interface FoundFacts extends Moments {
  /** What the backend calls this state; for people. */
  readonly version?: string
}

/** Where a backend's loop reports one name. After close every call is ignored. */
export interface FoundSink {
  /** A well-formed answer: the only thing that ever takes endpoints away. */
  set(found: Found, facts?: FoundFacts): void
  /** The backend fails: the last good state stays, stale. */
  fail(error: Error, retryAt?: number): void
  /** Heard from the backend, nothing new: what was said last is true, and no longer stale. */
  contact(version?: string): void
}
