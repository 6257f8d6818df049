// The thread that owns the write connection. Answers each message with exactly one; decides nothing itself.
import { type MessagePort, parentPort } from 'node:worker_threads'
import { type PlainError, plainError } from './plain-error.ts'
import { withoutSentText } from './sent-text.ts'
import { isBusy } from './sqlite-error.ts'
import { type Checkpoint, type GroupOutcome, type Operation, Writer } from './writer.ts'

/** `now` is ms since 1970. `close` is answered once the file is closed. */
export type WorkerRequest =
  | { readonly kind: 'open'; readonly path: string; readonly now: number }
  | { readonly kind: 'run'; readonly operations: readonly Operation[]; readonly now: number }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' }

export type WorkerAnswer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly error: PlainError; readonly isBusy: boolean }
  | GroupOutcome
  | { readonly kind: 'checkpointed'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'closed' }

function serve(port: MessagePort): void {
  let writer: Writer | undefined
  const answer = (request: WorkerRequest): WorkerAnswer => {
    switch (request.kind) {
      case 'open':
        try {
          writer = new Writer(request.path, request.now)
          return { kind: 'opened' }
        } catch (error) {
          return { kind: 'not-opened', error: plainError(error), isBusy: isBusy(error) }
        }
      case 'run':
        return withoutSentTexts(writer?.run(request.operations, request.now) ?? { kind: 'busy' })
      case 'checkpoint':
        return { kind: 'checkpointed', checkpoint: writer?.checkpoint() ?? { kind: 'held' } }
      case 'close':
        writer?.close()
        return { kind: 'closed' }
    }
  }
  port.on('message', (request: WorkerRequest) => port.postMessage(answer(request)))
}

function withoutSentTexts(answer: GroupOutcome): GroupOutcome {
  return answer.kind === 'busy' ? answer : { kind: 'done', outcomes: answer.outcomes.map(withoutSentText) }
}

if (parentPort !== null) serve(parentPort)
