// What the endpoints of a client come to together.
import type { ClientGauges } from './snapshot.ts'

/** Endpoints that take requests. */
export function availableCount({ endpoints }: ClientGauges): number {
  return endpoints.filter(({ state }) => state === 'open').length
}

/** Requests that they work on. */
export function loadOf({ endpoints }: ClientGauges): number {
  return endpoints.reduce((sum, { load }) => sum + load, 0)
}
