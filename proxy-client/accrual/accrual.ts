// The contract of failure accrual: when an endpoint has failed enough to be left alone, and for how long. One for each endpoint.

/** Judges one endpoint. A refused connection counts as a failure; a client that left counts as nothing. */
export interface FailureAccrual {
  succeeded(): void
  /** Milliseconds for which to send nothing; undefined while the endpoint goes on. */
  failed(): number | undefined
  /** The one request that was let through after that time failed too: milliseconds until the next. */
  probeFailed(): number
  /** A probe succeeded: begins anew. */
  revived(): void
}

export type CreateAccrual = () => FailureAccrual
