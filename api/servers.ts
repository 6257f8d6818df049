// What the APIs may ask of the servers that share this one's store. Knows no transport and no store.
import type { Cell, Unwatch } from '../watch/cell.ts'

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
  /** The version that it goes by, of every namespace that it knows of. To be read at once: it moves on with what is heard. */
  readonly dtabs: ReadonlyMap<string, number>
  /** Streams that proxies have open there; absent while none may come, and where it is not told. */
  readonly streams?: number
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
  /** Every server that was asked for has it. False while the store does not say who is present, when all were asked for. */
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

/** A version that a server goes by; 0 when it knows of none any more. */
export interface DtabVersion {
  readonly namespace: string
  readonly version: number
}

/** What this server goes by, for the servers that follow it. */
export interface ToldVersions {
  /** False until this server knows every namespace of its store. */
  isWhole(): boolean
  /** 0 where it knows of none. */
  of(namespace: string): number
  /** Those with a version. */
  namespaces(): Iterable<string>
  /** Told which namespaces have another version from now on; with none of them when this server has just become whole. */
  watch(changed: (namespaces: Iterable<string>) => void): Unwatch
}

/** What a followed server said at once. */
export interface PeerMessage {
  /** Who it is; in its first message. */
  readonly id?: string
  /** With this message it has said all it knows. */
  readonly isWhole: boolean
  readonly dtabs: readonly DtabVersion[]
  /** Streams that proxies have open there; absent where it says nothing of them. */
  readonly streams?: number
}

/** Hears one followed server. Nothing is called after `lost`, or after the stream was closed from here. */
export interface PeerListener {
  heard(message: PeerMessage): void
  lost(reason: string): void
}

/** Begins to follow the server at `host:port`; gives the close of the stream, harmless when called twice. */
export type DialPeer = (address: string, listener: PeerListener) => () => void

export interface Servers {
  readonly selfId: string
  readonly told: ToldVersions
  /** Streams that proxies have open here, in all threads; undefined while none may come. */
  streams(): number | undefined
  /** Everyone present in the store, sorted by id; this server always. */
  list(): Cell<readonly ServerState[]>
  /** The newest version of a namespace that any server goes by that replies; 0 where none knows of it. */
  newest(namespace: string): number
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
