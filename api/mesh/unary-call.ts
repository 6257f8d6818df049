// A unary mesh call: one answer, once it is known, or a status. Knows no method.
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Observation } from '../../watch/cell.ts'
import { pending, type State } from '../../watch/state.ts'
import { hostOf, isOver } from '../push/http2-of-call.ts'
import type { MeshContext } from './mesh-context.ts'
import { type CallEnd, failureEnd, refusalEnd } from './mesh-errors.ts'

export type UnaryCall = ServerUnaryCall<Buffer, Buffer>

export type UnaryAnswer = sendUnaryData<Buffer>

/** Answers with the message, or ends the call. */
export function reply(answer: UnaryAnswer, outcome: Buffer | CallEnd): void {
  if (Buffer.isBuffer(outcome)) answer(null, outcome)
  else answer(outcome)
}

/** Refuses the call for what it asks. */
export function refuse(answer: UnaryAnswer, error: NamingError): void {
  answer(refusalEnd(error))
}

/** An answer that only an ok state has; every other ends the call. */
export function onlyOk<T>(state: State<T>, encode: (state: State<T>) => Buffer | CallEnd): Buffer | CallEnd {
  return state.kind === 'ok' ? encode(state) : notOk(state)
}

/** The end of a call for which nothing good is known. */
export function notOk(state: Exclude<State<unknown>, { readonly kind: 'ok' }>): CallEnd {
  return failureEnd(state.kind === 'failed' ? state.error : stopping)
}

const stopping = new NamingError('unavailable', 'The server is stopping.')

/** The cell, or the one of its name that is watched already, which stays watched for a while. */
export function warmCell<T>({ push }: MeshContext, call: Pick<UnaryCall, 'getPeer'>, cell: Cell<T>): Cell<T> {
  return push.warm.keep(cell.name, () => cell, hostOf(call.getPeer()))
}

/** A call that tells when nobody waits for it any more. */
export interface Cancellable {
  on(event: 'cancelled', listener: () => void): unknown
}

/**
 * Calls `then` once with the first state that is not pending, at once where it is known; with a pending one when the server
 * stops, and never when the call is over before. What this gives ends the wait.
 */
export function whenKnown<T>(
  context: MeshContext,
  call: Cancellable,
  cell: Cell<T>,
  then: (state: State<T>) => void,
): () => void {
  if (isOver(call)) return () => {}
  const over = new AbortController()
  const end = (): void => {
    context.waiting.delete(stop)
    over.abort()
  }
  const finish = (state: State<T>): void => {
    if (over.signal.aborted) return
    end()
    then(state)
  }
  const stop = (): void => finish(pending)
  context.waiting.add(stop)
  call.on('cancelled', end)
  cell.watch(state => {
    if (state.kind !== 'pending') finish(state)
  }, over.signal)
  return end
}

/**
 * Calls `then` once with what is known, be it that it is pending: at once, in a thread that mirrors the cell when the main one
 * has said it, and never when the call is over before.
 */
export function whenTold<T>(call: Cancellable, cell: Cell<T>, then: (state: State<T>) => void): void {
  let isOver = false
  const end = (): void => {
    isOver = true
    observation?.end()
  }
  const deliver = (state: State<T>): void => {
    if (isOver) return
    end()
    then(state)
  }
  let observation: Observation | undefined
  observation = cell.observe({ isPatient: true, deliver })
  if (isOver) observation.end()
  else call.on('cancelled', end)
}
