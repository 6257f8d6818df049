// The contract of an identifier: which logical name a request asks for.
import type { Path } from '../../naming/path.ts'
import type { RawHeaders } from '../headers/raw-headers.ts'

/** What an identifier may look at. */
export interface IdentifiableRequest {
  readonly method: string
  /** Origin form: path and query. */
  readonly target: string
  readonly headers: RawHeaders
}

export type Identification =
  | { readonly kind: 'identified'; readonly path: Path }
  /** Says what is missing or wrong, for the 400. */
  | { readonly kind: 'unidentified'; readonly reason: string }

/** Synchronous and pure, for it runs on every request. */
export type Identifier = (request: IdentifiableRequest) => Identification
