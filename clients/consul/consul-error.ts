// What went wrong with a request to Consul, in words that say what an operator can do about it.
import type { ConsulFailure } from './options.ts'

/** A request that did not serve. `retryAfterMs` is how long the agent asks to be left alone, `status` what HTTP said, `said` the agent's own words. */
export class ConsulError extends Error {
  readonly reason: ConsulFailure
  readonly retryAfterMs: number | undefined
  readonly status: number | undefined
  readonly said: string

  constructor(
    reason: ConsulFailure,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number; status?: number; said?: string } = {},
  ) {
    super(message, options)
    this.name = 'ConsulError'
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
    this.status = options.status
    this.said = options.said ?? ''
  }
}

const maxTextLength = 200
const maxRetryAfterMs = 30_000

const statusCures: Readonly<Record<number, string>> = {
  400: 'the agent does not understand the query; its version may be too old',
  401: 'set a token',
  403: 'set a token whose policy allows service:read, node:read and agent:read',
  404: 'is this a Consul agent?',
  429: 'fewer requests will be sent at once; raise limits.http_max_conns_per_client of the agent for more',
}

/** An answer other than 200. Retry-After counts in seconds and is believed up to half a minute. */
export function statusError(status: number, text: string, retryAfter: string | undefined): ConsulError {
  const said = shorten(text)
  const cure = /HTTP request to an HTTPS server/i.test(text) ? 'this port speaks TLS; set tls' : statusCures[status]
  const message = `Consul answered ${status}${said === '' ? '' : ` "${said}"`}${cure === undefined ? '' : `: ${cure}`}`
  const isSeconds = retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter)
  const retryAfterMs = isSeconds ? Math.min(Number(retryAfter) * 1000, maxRetryAfterMs) : undefined
  const reason = status === 429 ? 'refused' : 'status'
  return new ConsulError(reason, message, { status, said, ...(retryAfterMs !== undefined && { retryAfterMs }) })
}

/** A throw of the connection, or of what was to make one; a ConsulError stays what it is. */
export function connectionError(
  cause: unknown,
  address: string,
  reason: 'connection' | 'unreachable' = 'connection',
): ConsulError {
  if (cause instanceof ConsulError) return cause
  return new ConsulError(reason, sayConnection(codeOf(cause), asError(cause).message, address), { cause })
}

/** What was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function sayConnection(code: string, text: string, address: string): string {
  if (code === 'ECONNREFUSED')
    return `no Consul agent listens at ${address} (${code}): start it, or correct host and port`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host of the Consul agent ${address} is not found (${code})`
  if (closedCodes.has(code))
    return `the Consul agent at ${address} closed the connection before its answer was whole (${code}): it stops, or this address has more connections than its limits.http_max_conns_per_client`
  if (/wrong.version.number/i.test(`${code} ${text}`))
    return `the Consul agent at ${address} does not speak TLS on this port: delete tls, or correct the port`
  if (unknownAuthority.has(code))
    return `the certificate of the Consul agent at ${address} is of an unknown authority (${code}): correct tls.trustCerts or tls.trustCertsBundle`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the certificate of the Consul agent at ${address} has another name (${code}): ${shorten(text)}; correct tls.commonName`
  return `the connection to the Consul agent at ${address} failed: ${shorten(text)}${code === '' ? '' : ` (${code})`}`
}

const closedCodes: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

const unknownAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return ''
  if ('code' in cause && typeof cause.code === 'string' && cause.code !== '') return cause.code
  return cause instanceof AggregateError ? codeOf(cause.errors[0]) : ''
}

function shorten(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ').trim()
  return plain.length <= maxTextLength ? plain : `${plain.slice(0, maxTextLength)}...`
}
