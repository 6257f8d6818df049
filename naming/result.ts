// The outcome of a check that bad input can fail: a value, never an exception.
import type { NamingError } from './errors.ts'

/** Either a value or the error that says why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: NamingError }

export function success<T>(value: T): Result<T> {
  return { ok: true, value }
}

export function failure<T>(error: NamingError): Result<T> {
  return { ok: false, error }
}

/** The value, or the error thrown: only for input that the program itself wrote (constants, examples, tests). */
export function orThrow<T>(result: Result<T>): T {
  if (!result.ok) throw result.error
  return result.value
}
