// A written text does not travel back from the worker: whoever sent it has it still.
import type { Operation, Outcome } from './writer.ts'

/** The outcome as it travels. What a repeated key made is another request's text and stays. */
export function withoutSentText(outcome: Outcome): Outcome {
  if (outcome.kind !== 'written' || outcome.result.repeated) return outcome
  const { text: _, ...written } = outcome.result.written
  return { ...outcome, result: { ...outcome.result, written } }
}

/** The outcome as the worker made it. */
export function withSentText(outcome: Outcome, operation: Operation): Outcome {
  if (outcome.kind !== 'written' || outcome.result.repeated || operation.kind !== 'write') return outcome
  const { text } = operation.request
  const written = { ...outcome.result.written, ...(text !== undefined && { text }) }
  return { ...outcome, result: { ...outcome.result, written } }
}
