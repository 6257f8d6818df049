// Reads requests.
import type { HeadLimits, MessageReader, MessageSink, RequestHead } from './message.ts'
import { createRequestGrammar } from './request-grammar.ts'
import { StreamReader } from './stream-reader.ts'

/** A reader of the requests of one connection, ready for the first. Holds no more than one head; nothing to dispose. */
export function createRequestReader(limits: HeadLimits, sink: MessageSink<RequestHead>): MessageReader {
  const reader = new StreamReader(createRequestGrammar(), limits, sink)
  reader.next()
  return reader
}
