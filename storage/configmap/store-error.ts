// What an API server's refusals mean to those who use a store.
import { KubernetesStatusError } from '../../clients/kubernetes/cluster.ts'
import { type ErrorCode, NamingError } from '../../naming/errors.ts'

/** Somebody else was faster: the object is there already, has changed, or is gone. */
export function isLost(error: unknown): boolean {
  return error instanceof KubernetesStatusError && (error.status === 409 || error.status === 404)
}

export function isExisting(error: unknown): boolean {
  return error instanceof KubernetesStatusError && error.reason === 'AlreadyExists'
}

/** The right is missing. */
export function isForbidden(error: unknown): boolean {
  return error instanceof KubernetesStatusError && error.status === 403
}

/** The server said no: nothing was changed. */
export function isRefused(error: unknown): error is KubernetesStatusError {
  return error instanceof KubernetesStatusError && error.status < 500
}

/** A NamingError as the contract of a backend asks for; itself when it is one. */
export function storeError(error: unknown): NamingError {
  if (error instanceof NamingError) return error
  const said = error instanceof Error ? error.message : String(error)
  const code = error instanceof KubernetesStatusError ? codeOf(error) : 'store-unavailable'
  return new NamingError(code, `The API server: ${said}`, { cause: error })
}

function codeOf({ status, message }: KubernetesStatusError): ErrorCode {
  if (/exceeded quota|database space exceeded/.test(message)) return 'store-full'
  if (status === 413 || (status === 422 && /too long|too large|at most/i.test(message))) return 'dtab-too-large'
  return status === 422 ? 'store-corrupt' : 'store-unavailable'
}
