// What is kept of an EndpointSlice or an Endpoints object: the fewest fields, the same for both. Knows no wire format.
import type { Metadata } from '../../naming/replica-set.ts'

/** One EndpointSlice or one Endpoints object. */
export interface EndpointRecord {
  readonly service: string
  /** The value of the label that the namer selects by, lower case. */
  readonly label?: string
  readonly groups: readonly EndpointGroup[]
  /** When the change that led to this state happened, in ms since 1970. */
  readonly triggeredAt?: number
  /** The object says itself that it does not hold all endpoints. */
  readonly isTruncated?: true
}

/** Each member listens on each port. */
export interface EndpointGroup {
  /** TCP only; a port without a name has the name ''. */
  readonly ports: readonly NamedPort[]
  readonly members: readonly Member[]
  /** The members' hosts are names to be looked up. */
  readonly hasHostNames?: true
}

export interface NamedPort {
  readonly name: string
  readonly port: number
}

export interface Member {
  readonly host: string
  readonly kind: MemberKind
  readonly metadata: Metadata | undefined
}

/** terminating: on its way out, yet still serving. Others are not kept. */
export type MemberKind = 'ready' | 'terminating'
