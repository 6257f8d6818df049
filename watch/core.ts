// What the cells of one kernel share. Holds no logic of its own.
import type { SourceEvent, SourceReport } from './cell.ts'
import type { Clock } from './clock.ts'
import type { Delivery } from './delivery.ts'
import type { Node } from './node.ts'
import type { State } from './state.ts'

export interface KernelOptions {
  readonly clock: Clock
  /** Told of a throwing watcher, equals, affects, open or close; the kernel goes on. Must not throw. */
  readonly onError: (error: unknown, where: string) => void
  /** Told when a source opens, fails, recovers or closes. Must not change a cell. */
  readonly onSource?: (event: SourceEvent) => void
}

/** A source that can be shown and shut. */
export interface OpenSource {
  report(): SourceReport
  shut(): void
}

export interface Core {
  readonly options: KernelOptions
  readonly delivery: Delivery
  readonly openSources: Set<OpenSource>
  /** Derivations being checked or computed, outermost first. */
  readonly busy: Node[]
  /** How many of them are computing, each inside the one before. */
  nesting: number
  /** Cells whose last observer has just left. */
  readonly leaving: Node[]
  /** What a peek at unwatched cells has computed so far; absent when no such peek is under way. */
  peeked: Map<Node, State<unknown>> | undefined
  isClosed: boolean
  watchers: number
  cells: number
  evaluations: number
}

/** Anything thrown, as an Error. */
export function errorFrom(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
