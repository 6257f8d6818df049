// What the APIs may ask of the servers that share this one's store. Knows no transport and no store.
import type { Cell } from '../watch/cell.ts'

/** One server, as this one knows it. */
export interface ServerState {
  readonly id: string
  readonly isSelf: boolean
  /** Where the others reach its gRPC port; absent for a server that has none. */
  readonly address?: string
  readonly version: string
  /** ms since 1970. */
  readonly startedAt: number
  /** Whether what follows is of now: false while it does not answer, with the reason. */
  readonly replies: boolean
  readonly error?: string
  /** Since when it is so, in ms since 1970. */
  readonly since: number
  /** The version that it goes by, of every namespace that it knows of. */
  readonly dtabs: ReadonlyMap<string, number>
}

/** A namespace for which servers have gone by different versions for longer than they may. */
export interface Disagreement {
  readonly namespace: string
  /** In ms since 1970. */
  readonly since: number
  /** The version that each server goes by; 0 where it knows of none. */
  readonly versions: ReadonlyMap<string, number>
}

/** How a write has spread: who has it, who has not, and who did not answer. */
export interface AppliedReport {
  /** Every server that was asked for has it. */
  readonly all: boolean
  readonly servers: readonly {
    readonly id: string
    readonly replied: boolean
    readonly applied: boolean
    /** The version it goes by now, when it replied. */
    readonly version?: number
  }[]
}

/** applied: this server alone. all: every server that is present in the store. */
export type AppliedScope = 'applied' | 'all'

export interface Servers {
  readonly selfId: string
  /** Everyone present in the store, sorted by id; this server always. */
  list(): Cell<readonly ServerState[]>
  /** Sorted by namespace; empty while all agree. */
  disagreements(): Cell<readonly Disagreement[]>
  /** Resolves once all of the scope go by the version or a later one, or when the time is over; never rejects for a server that is away. */
  whenApplied(wanted: {
    readonly namespace: string
    readonly version: number
    readonly scope: AppliedScope
    readonly timeoutMs: number
    readonly signal: AbortSignal
  }): Promise<AppliedReport>
}
