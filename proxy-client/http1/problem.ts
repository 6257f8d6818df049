// Makes the problems of a stream. Messages never hold bytes of it.
import type { MessageProblem } from './message.ts'

/** Against the grammar, or with two readings. */
export function malformed(message: string): MessageProblem {
  return { kind: 'malformed', message }
}

/** Over a limit. */
export function tooLong(message: string): MessageProblem {
  return { kind: 'tooLong', message }
}

/** Well-formed, but of a kind that we do not read. */
export function unsupported(message: string): MessageProblem {
  return { kind: 'unsupported', message }
}
