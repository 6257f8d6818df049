// Calls that are refused before their service hears of them, and calls that are answered with headers first. Knows no service
// and no reason.
import {
  Metadata,
  type sendUnaryData,
  type status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'

export interface Refusal {
  readonly code: status
  readonly details: string
}

interface AnyCall {
  emit(event: 'error', error: object): boolean
  sendMetadata(headers: Metadata): void
}

/** Says why a call is refused; undefined for one that is served. */
export type RefusalOf = (call: object, isStream: boolean) => Refusal | undefined

/** The same handlers for the calls that are not refused. */
export function refusing(handlers: UntypedServiceImplementation, refusalOf: RefusalOf): UntypedServiceImplementation {
  return mapped(handlers, handle => guard(handle, refusalOf))
}

/**
 * The same handlers, for clients that hear of a status only behind headers: without any, gRPC puts the status in their place.
 * A client that tries again by itself does not after headers.
 */
export function withHeadersFirst(handlers: UntypedServiceImplementation): UntypedServiceImplementation {
  return mapped(handlers, handle => (call: AnyCall, answer?: unknown): void => {
    call.sendMetadata(new Metadata())
    Reflect.apply(handle, undefined, [call, answer])
  })
}

function mapped(
  handlers: UntypedServiceImplementation,
  change: (handle: UntypedHandleCall) => UntypedHandleCall,
): UntypedServiceImplementation {
  return Object.fromEntries(Object.entries(handlers).map(([method, handle]) => [method, change(handle)] as const))
}

function guard(handle: UntypedHandleCall, refusalOf: RefusalOf): UntypedHandleCall {
  return (call: AnyCall, answer?: sendUnaryData<unknown>): void => {
    const refusal = refusalOf(call, answer === undefined)
    if (refusal === undefined) Reflect.apply(handle, undefined, [call, answer])
    else if (answer === undefined) call.emit('error', refusal)
    else answer(refusal)
  }
}
