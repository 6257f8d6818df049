// Names found in a backend: one cell per name, whatever the backend, by one rule for names that have no endpoints.
import { type Path, showPath } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import type { Env } from '../runtime/env.ts'
import type { Cell, Read, Sink } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'
import { DiscoveredName, type DiscoveredNameOptions, type NameCell } from './discovered-name.ts'
import { createDiscoveryMetrics } from './discovery-metrics.ts'
import type { FoundSink } from './found.ts'
import { MassEmptyGuard, type MassEmptyRule } from './mass-empty-guard.ts'
import type { NamerGuard } from './namer.ts'

export type { Found, FoundFacts, FoundSink } from './found.ts'
export type { MassEmptyRule } from './mass-empty-guard.ts'

/** What an operator may set for a namer; the schema is `discoveryOptions`. */
export interface DiscoveryRule {
  /** Whether a name that exists but has no usable endpoint is Neg, so that a dtab falls over. */
  readonly emptyIsNeg: boolean
  /** A name that was bound becomes Neg only after it has been as good as gone for so long, in milliseconds. */
  readonly emptyHoldDownMs: number
  /** False switches the guard off. */
  readonly massEmpty: MassEmptyRule | false
}

export interface DiscoveryOptions {
  readonly kind: string
  readonly prefix: Path
  readonly rule: DiscoveryRule
  /** How long a name stays followed after its last watcher left, in milliseconds. */
  readonly lingerMs: number
}

/** A namer's names. The namer closes it. */
export interface Discovery {
  /** The cell of one name; `open` runs at its first watcher. The name is what people see in lists, such as `dc1/web`. */
  follow(name: string, open: (sink: FoundSink) => () => void): Cell<ReplicaSet>
  readonly guard?: NamerGuard
  /** Ends every follow; its cells change no more. Harmless when called twice. */
  close(): void
}

/** Whether a name begins or ceases to exist: all that a lookup may depend on. */
export function readExistence(cell: Cell<ReplicaSet>, read: Read): State<ReplicaSet> {
  return read(cell, (before, after) => before.kind !== after.kind)
}

export function createDiscovery(options: DiscoveryOptions, env: Env): Discovery {
  const source = sourceOf(options.prefix)
  const { clock, log } = env
  const metrics = createDiscoveryMetrics(options.kind, source, env.metrics, clock)
  const { emptyIsNeg, emptyHoldDownMs, massEmpty } = options.rule
  const guard = massEmpty === false ? undefined : new MassEmptyGuard({ rule: massEmpty, source, clock, log, metrics })
  const nameOptions = { emptyIsNeg, emptyHoldDownMs, clock, metrics }
  const names = new OpenNames({ ...nameOptions, ...(guard !== undefined && { guard }) })
  const group = showPath(options.prefix)
  return {
    follow: (name, open) => {
      const opens = (sink: Sink<ReplicaSet>): (() => void) => names.open({ name, sink, follow: open, keep })
      const cell = env.kernel.source(`${options.kind} ${name}`, opens, { lingerMs: options.lingerMs, group })
      const keep = (): (() => void) => cell.watch(() => {})
      return cell
    },
    ...(guard !== undefined && { guard }),
    close: () => {
      names.close()
      guard?.close()
      metrics.close()
    },
  }
}

/** How people name a namer: its prefix without `/#/`. */
function sourceOf(prefix: Path): string {
  return showPath(prefix[0] === '#' ? prefix.slice(1) : prefix).slice(1)
}

/** The names that are followed now. */
class OpenNames {
  readonly #options: DiscoveredNameOptions
  readonly #closes = new Set<() => void>()
  #isClosed = false

  constructor(options: DiscoveredNameOptions) {
    this.#options = options
  }

  open({ follow, ...name }: OpenedName): () => void {
    if (this.#isClosed) return () => {}
    const discovered = new DiscoveredName(name, this.#options)
    const stop = beginFollow(discovered, follow)
    const close = (): void => {
      if (!this.#closes.delete(close)) return
      discovered.close()
      stop()
    }
    this.#closes.add(close)
    return close
  }

  close(): void {
    this.#isClosed = true
    for (const close of this.#closes) close()
  }
}

type Follow = (sink: FoundSink) => () => void

interface OpenedName extends NameCell {
  readonly follow: Follow
}

/** A follow that throws as it begins leaves nothing behind. */
function beginFollow(discovered: DiscoveredName, follow: Follow): () => void {
  try {
    return follow(discovered)
  } catch (error) {
    discovered.close()
    throw error
  }
}
