// An explanation for one call: in its turn, from a cell that the next who asks the same finds ready. Knows no method.
import type { DelegateRequest } from '../../interpreters/interpreter.ts'
import { hostOf, isOver } from '../push/http2-of-call.ts'
import type { MeshContext } from './mesh-context.ts'
import { type CallEnd, refusalEnd } from './mesh-errors.ts'
import { sendable } from './mesh-frames.ts'
import { type Cancellable, onlyOk, whenKnown } from './unary-call.ts'

/** A call that an explanation is for. */
export interface ExplainedCall extends Cancellable {
  getPeer(): string
}

/**
 * Calls `then` once with the message or the end, perhaps before this returns; never when the call is over before. What this
 * gives must be called when nobody wants the answer any more, unless the call is cancelled, and is harmless later.
 */
export function explain(
  context: MeshContext,
  call: ExplainedCall,
  request: DelegateRequest,
  then: (outcome: Buffer | CallEnd) => void,
): () => void {
  let endWait = (): void => {}
  const asked = context.explanations.ask(hostOf(call.getPeer()), () => {
    endWait = whenKnown(context, call, context.ports.interpreter.delegate(request), state => {
      giveUp()
      then(onlyOk(state, ok => sendable(context.frames.explanations.of(ok))))
    })
  })
  const giveUp = (): void => {
    if (asked.ok) asked.value()
    endWait()
  }
  if (!asked.ok) then(refusalEnd(asked.error))
  else if (isOver(call)) giveUp()
  else call.on('cancelled', giveUp)
  return giveUp
}
