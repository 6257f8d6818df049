// Errors as RFC 9457 problem documents. Knows no route; what an error's cause was never leaves the server.
import { type ErrorCode, errorCodes, type NamingError } from '../../naming/errors.ts'
import { timeText } from './time-text.ts'

/** RFC 9457. */
export const problemMediaType = 'application/problem+json'

/** What a client is told of an error. Members beside these come from the error's detail. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly [member: string]: unknown
}

/** The document of an error. A position in a text becomes `offset`, `line` and `column`. */
export function problemFromError(error: NamingError): Problem {
  const { position, time, ...detail } = error.detail
  return {
    ...detail,
    ...(typeof time === 'number' && { time: timeText(time) }),
    ...position,
    type: `urn:nameplane:problem:${error.code}`,
    title: errorCodes[error.code].title,
    status: error.httpStatus,
    detail: error.message,
    code: error.code,
    retryable: error.retryable,
  }
}
