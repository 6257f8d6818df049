// The endpoints of one bound id, as a namer knows them now.

export type MetadataValue = string | number | boolean

export type Metadata = Readonly<Record<string, MetadataValue>>

/** One place to send requests to. address is an IPv4 or IPv6 literal without brackets; weight is above 0, 1 when not said. */
export type Endpoint = {
  readonly address: string
  readonly port: number
  readonly weight: number
  readonly metadata?: Metadata
}

/**
 * bound: known, perhaps with no endpoint at all; neg: no such id, so that a client may fall back. `why` tells people more of
 * it than that there is no such name; to clients a neg is a neg, and equal to any other.
 */
export type ReplicaSet =
  | { readonly kind: 'bound'; readonly endpoints: readonly Endpoint[]; readonly metadata?: Metadata }
  | { readonly kind: 'neg'; readonly why?: string }

export const noSuchReplicas: ReplicaSet = { kind: 'neg' }
