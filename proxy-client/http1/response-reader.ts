// Reads responses.
import type { HeadLimits, MessageSink, ResponseHead, ResponseReader } from './message.ts'
import { createResponseGrammar, type ResponseGrammar } from './response-grammar.ts'
import { StreamReader } from './stream-reader.ts'

class StreamOfResponses extends StreamReader<ResponseHead> implements ResponseReader {
  readonly #grammar: ResponseGrammar

  constructor(grammar: ResponseGrammar, limits: HeadLimits, sink: MessageSink<ResponseHead>) {
    super(grammar, limits, sink)
    this.#grammar = grammar
  }

  expect(method: string): void {
    this.#grammar.expect(method)
    this.next()
  }
}

/** A reader of the responses of one connection; `expect` must be called before each. Nothing to dispose. */
export function createResponseReader(limits: HeadLimits, sink: MessageSink<ResponseHead>): ResponseReader {
  return new StreamOfResponses(createResponseGrammar(), limits, sink)
}
