// Makes the problems of a stream. Messages never hold bytes of it.
import type { MessageProblem } from './message.ts'

/** Against the grammar, or with two readings. */
export function malformed(message: string): MessageProblem {
  return { kind: 'malformed', message }
}

/** The start line is over its limit. */
export function lineTooLong(message: string): MessageProblem {
  return { kind: 'lineTooLong', message }
}

/** Over another limit. */
export function tooLong(message: string): MessageProblem {
  return { kind: 'tooLong', message }
}

/** A version of HTTP that we do not speak. */
export function otherVersion(message: string): MessageProblem {
  return { kind: 'otherVersion', message }
}

/** Well-formed, but of a kind that we do not read. */
export function unsupported(message: string): MessageProblem {
  return { kind: 'unsupported', message }
}
