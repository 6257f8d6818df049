// The limits of the gRPC port as an operator may set them. Knows no transport.

/** What holds where nothing is configured: room for 10,000 proxies of 20 names, and as many mesh streams, from one address. */
export const grpcLimitDefaults = {
  /** Streams that one connection may have open at a time. */
  streamsPerConnection: 10_000,
  /** Names and replica sets that one stream, client, namespace and server may have subscribed to at a time. */
  subscriptionsPerStream: 100_000,
  perClient: 250_000,
  perNamespace: 1_000_000,
  perServer: 1_000_000,
} as const

/** How long a connection is used before its streams go to another one, about; milliseconds. */
export const defaultMaxConnectionAgeMs = 30 * 60_000
