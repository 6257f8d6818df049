// What goes wrong, as the statuses and words of namerd's mesh interface. Knows no call.
import { status } from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'

/** How a call ends that does not end well. */
export interface CallEnd {
  readonly code: status
  readonly details: string
}

/** Failures of a name that only other rules can end: waiting cannot. */
const lastingCodes: ReadonlySet<string> = new Set(['name-too-deep', 'evaluation-limit', 'unknown-namer'])

/** Whether a name has failed for as long as its rules stay as they are. Anything else may pass by itself. */
export function isLasting(error: Error): boolean {
  return lastingCodes.has(NamingError.from(error).code)
}

/** The end of a call that was refused for what it asks, or for how much is asked. */
export function refusalEnd({ grpcStatus, message }: NamingError): CallEnd {
  return { code: grpcStatus, details: message }
}

/** The end of a call whose answer could not be worked out: what may pass keeps the status of its code, all else is INTERNAL. */
export function failureEnd(error: Error): CallEnd {
  const known = NamingError.from(error)
  return { code: known.retryable ? known.grpcStatus : status.INTERNAL, details: words(known) }
}

/** A namer that does not exist is only named. */
function words({ code, message, detail }: NamingError): string {
  return code === 'unknown-namer' && typeof detail.namer === 'string' ? detail.namer : message
}
