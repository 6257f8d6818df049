// Names found in a backend: one cell per name, whatever the backend, by one rule for names that have no endpoints.
import type { Path } from '../naming/path.ts'
import { showPath } from '../naming/path.ts'
import { type Endpoint, type Metadata, noSuchReplicas, type ReplicaSet } from '../naming/replica-set.ts'
import type { Env } from '../runtime/env.ts'
import type { Cell, Read } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'
import type { NamerGuard } from './namer.ts'

/** What a backend says of one name now: all of it, never a difference. `exists: false` has no endpoints. */
export interface Found {
  readonly exists: boolean
  readonly endpoints: readonly Endpoint[]
  readonly metadata?: Metadata
}

export interface FoundFacts {
  /** What the backend calls this state; for people. */
  readonly version?: string
  /** When the first byte of the answer came, in ms of the clock's `monotonic`; for the histogram watch_lag_seconds. */
  readonly receivedAt?: number
  /** When the change happened by the backend's own clock, in ms since 1970; for watch_source_lag_seconds. */
  readonly triggeredAt?: number
}

/** Where a backend's loop reports one name. After close every call is ignored. */
export interface FoundSink {
  set(found: Found, facts?: FoundFacts): void
  /** The backend fails: the last good state stays, stale. */
  fail(error: Error, retryAt?: number): void
  contact(version?: string): void
}

/** What an operator may set for a namer; the schema is `discoveryOptions`. */
export interface DiscoveryRule {
  /** Whether a name that exists but has no usable endpoint is Neg, so that a dtab falls over. */
  readonly emptyIsNeg: boolean
  /** A name that had endpoints becomes Neg only after it has had none for so long, in milliseconds. */
  readonly emptyHoldDownMs: number
  /** When more than `maxShare` of the names that have endpoints lose them within `windowMs`, and at least `minNames` do, the loss is held back. */
  readonly massEmpty: MassEmptyRule | false
}

export interface MassEmptyRule {
  readonly maxShare: number
  readonly windowMs: number
  readonly minNames: number
}

export interface DiscoveryOptions {
  readonly kind: string
  readonly prefix: Path
  readonly rule: DiscoveryRule
  /** How long a name stays followed after its last watcher left, in milliseconds. */
  readonly lingerMs: number
  /** After a publication the next one of the same name comes no sooner; the newest wins. Milliseconds; 0 when absent. */
  readonly spacingMs?: number
}

/** A namer's names. The namer closes it. */
export interface Discovery {
  /** The cell of one name; `open` runs at its first watcher. The name is what people see in lists, such as `dc1/web`. */
  follow(name: string, open: (sink: FoundSink) => () => void): Cell<ReplicaSet>
  readonly guard?: NamerGuard
  close(): void
}

/** Whether a name begins or ceases to exist: all that a lookup may depend on. */
export function readExistence(cell: Cell<ReplicaSet>, read: Read): State<ReplicaSet> {
  return read(cell, (before, after) => before.kind !== after.kind)
}

export function createDiscovery(options: DiscoveryOptions, { kernel }: Env): Discovery {
  const group = showPath(options.prefix)
  return {
    follow: (name, open) =>
      kernel.source<ReplicaSet>(
        `${options.kind} ${name}`,
        sink =>
          open({
            set: (found, facts) => sink.set(published(found, options.rule), facts?.version),
            fail: (error, retryAt) => sink.fail(error, retryAt),
            contact: version => sink.contact(version),
          }),
        { lingerMs: options.lingerMs, group },
      ),
    close: () => {},
  }
}

function published({ exists, endpoints, metadata }: Found, { emptyIsNeg }: DiscoveryRule): ReplicaSet {
  if (!exists || (emptyIsNeg && endpoints.length === 0)) return noSuchReplicas
  return { kind: 'bound', endpoints, ...(metadata !== undefined && { metadata }) }
}
