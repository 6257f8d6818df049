// What a reader tells its sink of a stream of bytes, as plain data; runs of data are joined, for how it is cut does not count.
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import type {
  Framing,
  HeadLimits,
  MessageProblem,
  MessageReader,
  MessageSink,
  RequestHead,
  ResponseHead,
} from '../../../proxy-client/http1/message.ts'
import { createRequestReader } from '../../../proxy-client/http1/request-reader.ts'
import { createResponseReader } from '../../../proxy-client/http1/response-reader.ts'

/** One thing that was told. */
export type Told =
  | { readonly what: 'head' | 'interim'; readonly start: string; readonly fields: string; readonly framing: Framing }
  | { readonly what: 'data'; readonly text: string }
  | { readonly what: 'end'; readonly trailers: string | undefined }
  | {
      readonly what: 'problem'
      readonly kind: MessageProblem['kind']
      readonly message: string
      readonly isOfHead: boolean
    }

export interface Reading<H> {
  readonly told: Told[]
  readonly heads: H[]
  /** Bytes that were not taken. */
  rest: string
}

type Head = RequestHead | ResponseHead

function startOf(head: Head): string {
  return 'method' in head
    ? `${head.method} ${head.target} ${head.minor}`
    : `${head.status} ${head.reason} ${head.minor}`
}

function recorder<H extends Head>(reading: Reading<H>): MessageSink<H> {
  const { told } = reading
  const tell = (what: 'head' | 'interim', head: H): void => {
    reading.heads.push(head)
    told.push({ what, start: startOf(head), fields: head.fields.lines(0), framing: head.framing })
  }
  return {
    onHead: head => tell('head', head),
    onInterim: head => tell('interim', head),
    onData(slice) {
      const text = slice.toString('latin1')
      const last = told.at(-1)
      if (last?.what === 'data') told[told.length - 1] = { what: 'data', text: last.text + text }
      else told.push({ what: 'data', text })
    },
    onEnd: trailers => told.push({ what: 'end', trailers: trailers?.lines(0) }),
    onProblem: ({ kind, message, isOfHead = false }) => told.push({ what: 'problem', kind, message, isOfHead }),
  }
}

/** Cuts a text before each of the indices. */
export function cutAt(text: string, indices: readonly number[]): string[] {
  const cuts = [0, ...[...indices].sort((a, b) => a - b), text.length]
  return cuts.slice(1).map((end, i) => text.slice(cuts[i], end))
}

/** Feeds the pieces, with `next` after each end, until it is over. */
function feed<H>(reader: MessageReader, reading: Reading<H>, pieces: readonly string[], isOver: () => boolean): void {
  let ended = 0
  for (const piece of pieces) {
    const chunk = Buffer.from(piece, 'latin1')
    let at = 0
    while (at < chunk.length && !isOver()) {
      at = reader.read(chunk, at)
      const ends = reading.told.filter(({ what }) => what === 'end').length
      if (ends > ended && !isOver()) reader.next()
      ended = ends
    }
    reading.rest += chunk.toString('latin1', at)
  }
}

/** All the requests of a connection, which ends after the last piece. */
export function readRequests(pieces: readonly string[], limits: HeadLimits = defaultLimits): Reading<RequestHead> {
  const reading: Reading<RequestHead> = { told: [], heads: [], rest: '' }
  const reader = createRequestReader(limits, recorder(reading))
  feed(reader, reading, pieces, () => reading.told.at(-1)?.what === 'problem')
  reader.finish()
  return reading
}

/** The response to one request, on a connection that ends after the last piece. */
export function readResponse(
  method: string,
  pieces: readonly string[],
  limits: HeadLimits = defaultLimits,
): Reading<ResponseHead> {
  const reading: Reading<ResponseHead> = { told: [], heads: [], rest: '' }
  const reader = createResponseReader(limits, recorder(reading))
  reader.expect(method)
  const isTunnel = (): boolean => reading.heads.at(-1)?.framing.kind === 'tunnel'
  feed(reader, reading, pieces, () => isTunnel() || /end|problem/.test(reading.told.at(-1)?.what ?? ''))
  reader.finish()
  return reading
}
