// What a mirror and its origin tell each other, as text: JSON is written and read in half the time of a structured clone, and
// a value that several threads want is written once. Both ends are this program, so nothing is checked.
import { type ErrorCode, type ErrorDetail, NamingError } from '../../naming/errors.ts'

/** A way for texts between two threads; they arrive in order. */
export interface TextPort {
  post(text: string): void
  /** Called once, before anything can arrive. */
  onText(take: (text: string) => void): void
}

/** What a thread may follow. `version`: which version of a namespace names are evaluated by, without its rules. */
export type Asked = 'bind' | 'replicas' | 'namespace' | 'delegate' | 'version'

/** From the mirror. */
export interface ToOrigin {
  /** Cells to follow from now on, by numbers that are never used again. */
  readonly watch: readonly (readonly [id: number, asked: Asked, request: string])[]
  readonly leave: readonly number[]
  /** Batches that it has read. */
  readonly taken: number
}

export interface SentError {
  /** Absent for what is no NamingError. */
  readonly code?: ErrorCode
  readonly message: string
  readonly detail?: ErrorDetail
}

export interface SentStale {
  readonly since: number
  readonly reason: SentError
}

/** `same`: ok with the value that the mirror has. */
export type SentState =
  | { readonly kind: 'pending'; readonly waitingFor?: string }
  | { readonly kind: 'ok'; readonly value: object; readonly stale?: SentStale }
  | { readonly kind: 'same'; readonly stale?: SentStale }
  | { readonly kind: 'failed'; readonly error: SentError }

/** Versions that the server goes by, once the states before them are applied. */
export interface SentVersions {
  readonly isWhole: boolean
  readonly dtabs: readonly (readonly [namespace: string, version: number])[]
}

/** From the origin. */
export interface ToMirror {
  /** When the first of the changes was made, in ms since 1970. */
  readonly changedAt: number
  readonly states: readonly (readonly [id: number, state: SentState])[]
  readonly told?: SentVersions
}

export function sentErrorOf(error: Error): SentError {
  if (!(error instanceof NamingError)) return { message: error.message }
  const { code, message, detail } = error
  return { code, message, detail }
}

/** Whoever asks for its code, its message or whether it may be retried learns what he would of the one that was sent. */
export function errorFromSent({ code, message, detail = {} }: SentError): Error {
  return code === undefined ? new Error(message) : new NamingError(code, message, { detail })
}

/** The only numbers here that JSON lacks are infinite weights; it writes them as null. Depth costs no stack. */
export function parseMessage(text: string): unknown {
  const message: unknown = JSON.parse(text)
  if (text.includes(':null')) restoreInfinity(message)
  return message
}

/** A null in an array is the `*` of a prefix. */
function restoreInfinity(message: unknown): void {
  const waiting = [message]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (typeof part !== 'object' || part === null) continue
    for (const [key, value] of Object.entries(part)) {
      if (value !== null) waiting.push(value)
      else if (!Array.isArray(part)) Object.assign(part, { [key]: Number.POSITIVE_INFINITY })
    }
  }
}
