// The contract of an identifier: which logical name a request asks for.
import type { Path } from '../../naming/path.ts'
import type { Inbound } from '../exchange/inbound.ts'

/** What an identifier may look at. */
export type IdentifiableRequest = Pick<Inbound, 'head' | 'method' | 'target' | 'host'>

export interface Identified {
  readonly kind: 'identified'
  readonly path: Path
  /** Text of the path: the name's key everywhere. */
  readonly text: string
  /** The target to forward when it is not the request's own. */
  readonly target: string | undefined
}

/** Says what is missing or wrong, for the 400. */
export interface Unidentified {
  readonly kind: 'unidentified'
  readonly reason: string
}

export type Identification = Identified | Unidentified

/** Synchronous, for it runs on every request; equal requests may get one and the same answer. */
export type Identifier = (request: IdentifiableRequest) => Identification

/** For the reasons that are made on the way. */
export function unidentified(reason: string): Unidentified {
  return { kind: 'unidentified', reason }
}
