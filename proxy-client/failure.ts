// Failures that the proxy itself answers with, in linkerd's shape: a status, the header l5d-err and a body that names the stage.

import { dateLine } from './headers/date.ts'

/** What the proxy was doing. */
export type Stage =
  | 'protocol'
  | 'overload'
  | 'depth'
  | 'identify'
  | 'dtab'
  | 'deadline'
  | 'bind'
  | 'resolve'
  | 'balance'
  | 'connect'
  | 'budget'
  | 'timeout'
  | 'response'

export type FailureStatus = 400 | 408 | 414 | 431 | 501 | 502 | 503 | 504 | 505

export interface ProxyFailure {
  readonly status: FailureStatus
  readonly stage: Stage
  /** One sentence: what is wrong, and what to look at. */
  readonly message: string
  /** Nothing was sent upstream, so that the client may try again at will. */
  readonly isUnsent: boolean
}

export interface FailureSubject {
  /** `/svc/web`, once known. */
  readonly service?: string
  /** Where the base dtab is kept. */
  readonly namespace?: string
  /** The request's own dtab. */
  readonly dtab?: string
  /** The bound id that was drawn. */
  readonly client?: string
  /** Endpoints that were tried, in order, with what became of it. */
  readonly tried?: readonly string[]
  /** What else explains it: how old the knowledge is, who is away. A line each. */
  readonly notes?: readonly string[]
}

/** A header line longer than this is refused by common clients long before their limit of 8 KB for all. */
const maxErrorChars = 1000
/** What as many characters of ASCII take at most; others take more. */
const maxEncodedChars = 3 * maxErrorChars

export interface FailureAnswer {
  readonly status: FailureStatus
  readonly reason: string
  /** Whole field lines, without those that frame or concern the connection. */
  readonly lines: string
  readonly body: Buffer
}

/**
 * The whole answer. `l5d-err` is URL-encoded; a failure before anything was sent also says `l5d-retryable`. `now` by
 * `Clock.now`.
 */
export function answerOf(failure: ProxyFailure, now: number, subject: FailureSubject = {}): FailureAnswer {
  const { status, stage, message, isUnsent } = failure
  const error = encodeError(`${stage}: ${message}`)
  return {
    status,
    reason: reasons[status],
    lines: `${dateLine(now)}Content-Type: text/plain; charset=utf-8\r\nl5d-err: ${error}\r\n${isUnsent ? 'l5d-retryable: true\r\n' : ''}`,
    body: Buffer.from(bodyOf(failure, subject)),
  }
}

function bodyOf({ message, stage }: ProxyFailure, subject: FailureSubject): string {
  const { service, namespace, dtab, client, tried = [], notes = [] } = subject
  const lines = [message, `stage: ${stage}`]
  if (service !== undefined) lines.push(`service: ${service}`)
  if (namespace !== undefined) lines.push(`namespace: ${namespace}`)
  if (dtab !== undefined) lines.push(`dtab of this request: ${dtab}`)
  if (client !== undefined) lines.push(`client: ${client}`)
  if (tried.length > 0) lines.push(`endpoints tried: ${tried.join(', ')}`)
  return `${[...lines, ...notes].join('\n')}\n`
}

const reasons = {
  400: 'Bad Request',
  408: 'Request Timeout',
  414: 'URI Too Long',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
} as const satisfies Record<FailureStatus, string>

/** URL-encoded and cut to a length that fits a header. */
function encodeError(message: string): string {
  const encoded = encodeURIComponent(message.slice(0, maxErrorChars).toWellFormed())
  if (encoded.length <= maxEncodedChars) return message.length > maxErrorChars ? `${encoded}...` : encoded
  let end = maxEncodedChars
  while (!isBetweenCharacters(encoded, end)) end--
  return `${encoded.slice(0, end)}...`
}

/** Whether no character of the text is cut in two there: neither its %-escape nor its bytes in UTF-8. */
function isBetweenCharacters(encoded: string, at: number): boolean {
  if (encoded[at - 1] === '%' || encoded[at - 2] === '%') return false
  return encoded[at] !== '%' || !'89AB'.includes(encoded[at + 1] ?? '')
}

function failureWith(status: FailureStatus, isUnsent: boolean) {
  return (stage: Stage, message: string): ProxyFailure => ({ status, stage, message, isUnsent })
}

/** The request cannot be understood; the same request fails again, so it is not marked as retryable. */
export const badRequest = failureWith(400, false)
/** The client took too long to send its request. */
export const tooSlow = failureWith(408, false)
/** The first line of the request is over its limit. */
export const uriTooLong = failureWith(414, false)
/** The fields of the request are over a limit. */
export const tooLarge = failureWith(431, false)
/** We do not do this. */
export const notSupported = failureWith(501, false)
/** We do not speak this version of HTTP. */
export const otherVersion = failureWith(505, false)
/** No endpoint could be found or reached, and nothing was sent. */
export const noUpstream = failureWith(502, true)
/** Something was sent and no good answer came. */
export const badUpstream = failureWith(502, false)
/** There is no room for it now, and nothing was sent. */
export const noRoom = failureWith(503, true)

/** Time ran out: before anything was sent, or after. Which status says so is a matter of configuration. */
export function outOfTime(status: 503 | 504, stage: Stage, message: string, isUnsent: boolean): ProxyFailure {
  return { status, stage, message, isUnsent }
}
