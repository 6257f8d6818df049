// What the end of a stream says of the name, or of the id, that it was for. Knows neither.
import { status } from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'
import type { StreamEnd } from './kept-stream.ts'

/** Ends that come from the connection, or from a server that stops. */
const ofTheConnection: readonly status[] = [status.OK, status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED]

/** Whether the server ended it because of what was asked: an evaluation that fails, a limit, a request that it refuses. */
export function isOfTheName({ code }: StreamEnd): boolean {
  return !ofTheConnection.includes(code)
}

/** Why what was told on the stream is not confirmed any more. It is tried again, so another answer may come. */
export function reasonOf({ code, details }: StreamEnd): NamingError {
  const words = details === '' ? status[code] : details
  return new NamingError('unavailable', `The naming server has ended the stream: ${words}.`)
}
