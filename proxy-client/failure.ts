// Failures that the proxy itself answers with, in linkerd's shape: a status, the header l5d-err and a body that names the stage.

/** What the proxy was doing. */
export type Stage = 'identify' | 'dtab' | 'bind' | 'resolve' | 'balance' | 'connect' | 'response' | 'protocol'

export interface ProxyFailure {
  readonly status: 400 | 501 | 502 | 503
  readonly stage: Stage
  /** One sentence: what is wrong, and what to look at. */
  readonly message: string
  /** Nothing was sent upstream, so that the client may try again at will. */
  readonly isUnsent: boolean
}

export interface FailureSubject {
  /** `/svc/web`, once known. */
  readonly service?: string
  readonly namespace?: string
  /** The request's own dtab. */
  readonly dtab?: string
  /** What else explains it: how old the knowledge is, who is away. A line each. */
  readonly notes?: readonly string[]
}

/** A header line longer than this is refused by common clients long before their limit of 8 KB for all. */
const maxErrorChars = 1000

export interface FailureAnswer {
  readonly status: number
  readonly reason: string
  readonly headers: string[]
  readonly body: string
}

/** The whole answer. `l5d-err` is URL-encoded; a failure before anything was sent also says `l5d-retryable`. */
export function answerOf(failure: ProxyFailure, subject: FailureSubject = {}): FailureAnswer {
  const lines = [
    failure.message,
    `stage: ${failure.stage}`,
    ...(subject.service === undefined ? [] : [`service: ${subject.service}`]),
    ...(subject.namespace === undefined ? [] : [`namespace: ${subject.namespace}`]),
    ...(subject.dtab === undefined ? [] : [`dtab of this request: ${subject.dtab}`]),
    ...(subject.notes ?? []),
  ]
  const body = `${lines.join('\n')}\n`
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'l5d-err',
    encodeError(`${failure.stage}: ${failure.message}`),
    ...(failure.isUnsent ? ['l5d-retryable', 'true'] : []),
  ]
  return { status: failure.status, reason: reasons[failure.status], headers, body }
}

const reasons = {
  400: 'Bad Request',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
} as const satisfies Record<ProxyFailure['status'], string>

/** URL-encoded and cut to a length that fits a header. */
function encodeError(message: string): string {
  const short = message.length > maxErrorChars ? `${message.slice(0, maxErrorChars)}...` : message
  return encodeURIComponent(short.toWellFormed())
}

function failureWith(status: ProxyFailure['status'], isUnsent: boolean) {
  return (stage: Stage, message: string): ProxyFailure => ({ status, stage, message, isUnsent })
}

/** The request cannot be understood; the same request fails again, so it is not marked as retryable. */
export const badRequest = failureWith(400, false)
/** No endpoint could be found or reached, and nothing was sent. */
export const noUpstream = failureWith(502, true)
/** Something was sent and no good answer came. */
export const badUpstream = failureWith(502, false)
/** Time ran out before anything was sent. */
export const tooLate = failureWith(503, true)
/** We do not do this. */
export const notSupported = failureWith(501, false)
