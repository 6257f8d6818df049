// Makes the problems of a stream. Messages never hold bytes of it.
import type { MessageProblem } from './message.ts'

export function malformed(message: string): MessageProblem {
  return { kind: 'malformed', message }
}

export function tooLong(message: string): MessageProblem {
  return { kind: 'tooLong', message }
}

export function unsupported(message: string): MessageProblem {
  return { kind: 'unsupported', message }
}
