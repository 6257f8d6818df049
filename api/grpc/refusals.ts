// Calls that are refused before their service hears of them. Knows no service and no reason.
import type { sendUnaryData, status, UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js'

export interface Refusal {
  readonly code: status
  readonly details: string
}

interface AnyCall {
  emit(event: 'error', error: object): boolean
}

/** Says why a call is refused; undefined for one that is served. */
export type RefusalOf = (call: object, isStream: boolean) => Refusal | undefined

/** The same handlers for the calls that are not refused. */
export function refusing(handlers: UntypedServiceImplementation, refusalOf: RefusalOf): UntypedServiceImplementation {
  const entries = Object.entries(handlers).map(([method, handle]) => [method, guard(handle, refusalOf)] as const)
  return Object.fromEntries(entries)
}

function guard(handle: UntypedHandleCall, refusalOf: RefusalOf): UntypedHandleCall {
  return (call: AnyCall, answer?: sendUnaryData<unknown>): void => {
    const refusal = refusalOf(call, answer === undefined)
    if (refusal === undefined) Reflect.apply(handle, undefined, [call, answer])
    else if (answer === undefined) call.emit('error', refusal)
    else answer(refusal)
  }
}
