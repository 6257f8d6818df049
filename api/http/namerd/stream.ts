// namerd's watch: one chunk per value, a newline behind each, no heartbeats; an error is a last line and the end.
import type { FastifyReply } from 'fastify'
import { NamingError } from '../../../naming/errors.ts'
import type { Cell } from '../../../watch/cell.ts'
import type { State } from '../../../watch/state.ts'
import type { OpenStreams } from '../open-streams.ts'
import type { StreamKind } from '../stream-metrics.ts'

/** The text to send for a state; undefined for nothing to say; an error ends the stream with its message. */
export type LineOf<T> = (state: State<T>) => string | undefined | Error

export interface NamerdStream<T> {
  readonly kind: StreamKind
  readonly cell: Cell<T>
  /** Where the first value comes from, when another cell has it fresher. */
  readonly first?: Cell<T>
  readonly lineOf: LineOf<T>
  readonly contentType?: string | undefined
}

/** Takes the response over. Equal neighbours are sent once unless the cell tells them apart. */
export function streamLines<T>(
  reply: FastifyReply,
  streams: OpenStreams,
  { kind, cell, first = cell, lineOf, contentType }: NamerdStream<T>,
): FastifyReply {
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, contentType === undefined ? {} : { 'content-type': contentType })
  response.flushHeaders()
  let line: string | undefined
  let hasFailed = false
  const writer = streams.writer(kind, response, () => {
    // As bytes: the socket would encode a large text in pieces, and much slower.
    const latest = line === undefined ? undefined : Buffer.from(`${line}\n`)
    line = undefined
    if (hasFailed) response.end(latest)
    return hasFailed ? undefined : latest
  })
  let isFirst = true
  const unwatch = cell.watch(state => {
    const next = lineOf(isFirst ? first.peek() : state)
    isFirst = false
    if (next === undefined || hasFailed) return
    hasFailed = next instanceof Error
    line = next instanceof Error ? messageOf(next) : next
    writer.changed()
  })
  streams.add(response, () => {
    unwatch()
    writer.stop()
  })
  return reply
}

/** Of a namer that does not exist namerd says the class and nothing else. */
function messageOf(error: Error): string {
  const { code, detail } = NamingError.from(error)
  return code === 'unknown-namer' && typeof detail.namer === 'string' ? detail.namer : error.message
}
