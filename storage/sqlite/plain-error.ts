// An error of ours as plain data, to cross from one thread to another.
import { type ErrorCode, type ErrorDetail, NamingError } from '../../naming/errors.ts'

export interface PlainError {
  readonly code: ErrorCode
  readonly message: string
  readonly detail: ErrorDetail
}

/** Whatever was thrown; the cause stays behind. */
export function plainError(error: unknown): PlainError {
  const { code, message, detail } = NamingError.from(error)
  return { code, message, detail: { ...detail } }
}

/** The error that another thread sent. */
export function errorFromPlain({ code, message, detail }: PlainError): NamingError {
  return new NamingError(code, message, { detail })
}
