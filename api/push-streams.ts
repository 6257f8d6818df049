// What the rest of the server may ask of the gRPC port's push streams and connections. Knows no transport.

export interface StreamCounts {
  readonly open: number
  /** Those of them that are to go elsewhere already. */
  readonly leaving: number
}

/** One connection, for people. */
export interface ConnectionReport {
  /** `host:port` of the peer. */
  readonly address: string
  /** In ms since 1970. */
  readonly since: number
  readonly streams: number
  readonly unsentBytes: number
  /** Whether the peer has been told to leave it. */
  readonly isLeaving: boolean
}

export interface ConnectionsReport {
  readonly connections: number
  /** Push streams of each service. */
  readonly streams: Readonly<Record<string, number>>
  readonly highestStreams: number
  /** How many streams one connection may have open. */
  readonly streamsLimit: number
  /** Those with most that is unsent, then those with most streams. */
  readonly busiest: readonly ConnectionReport[]
}

export interface PushStreams {
  streams(): StreamCounts
  /** Sends so many to other servers, without a gap for clients that can be asked. */
  shed(count: number): void
  connections(): ConnectionsReport
}
