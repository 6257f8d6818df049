// Cuts a stream of bytes into messages: heads, then bodies by their framing. The same for requests and responses.
import { ChunkScan } from './chunk-scan.ts'
import type { FramedHead, HeadGrammar } from './head-grammar.ts'
import type { HeadLimits, MessageProblem, MessageReader, MessageSink } from './message.ts'
import { malformed } from './problem.ts'
import { SectionScan } from './section-scan.ts'
import { permittedTrailers } from './trailers.ts'

const Phase = {
  idle: 0,
  blankFeed: 1,
  head: 2,
  payload: 3,
  chunkLine: 4,
  chunkPayload: 5,
  trailers: 6,
  toClose: 7,
  ended: 8,
  failed: 9,
} as const

const cr = 0x0d
const lf = 0x0a

/** Interim heads before one message; more of them than that keep a client waiting for ever. */
const maxInterims = 100

/** Takes nothing before `next` is called for the first time. */
export class StreamReader<H extends FramedHead> implements MessageReader {
  readonly #grammar: HeadGrammar<H>
  readonly #sink: MessageSink<H>
  readonly #section: SectionScan
  readonly #chunks: ChunkScan
  #phase: number = Phase.ended
  #sawBlankLine = false
  #interims = 0
  /** Payload bytes that are still to come. */
  #left = 0

  constructor(grammar: HeadGrammar<H>, limits: HeadLimits, sink: MessageSink<H>) {
    this.#grammar = grammar
    this.#sink = sink
    this.#section = new SectionScan(limits, grammar.checkStartLine)
    this.#chunks = new ChunkScan(limits.maxFieldBytes)
  }

  get isInMessage(): boolean {
    return (this.#phase > Phase.idle && this.#phase < Phase.ended) || this.#interims > 0
  }

  read(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length && this.#phase < Phase.ended) at = this.#step(chunk, at)
    return at
  }

  finish(): void {
    if (this.#phase === Phase.toClose) this.#end()
    else if (this.isInMessage) this.#fail({ kind: 'cut', message: 'The stream ended within a message.' })
  }

  next(): void {
    this.#phase = Phase.idle
    this.#sawBlankLine = false
    this.#interims = 0
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#phase) {
      case Phase.head:
        return this.#readHead(chunk, at)
      case Phase.payload:
      case Phase.chunkPayload:
        return this.#readPayload(chunk, at)
      case Phase.chunkLine:
        return this.#readChunkLine(chunk, at)
      case Phase.trailers:
        return this.#readTrailers(chunk, at)
      case Phase.toClose:
        this.#sink.onData(at === 0 ? chunk : chunk.subarray(at))
        return chunk.length
      default:
        return this.#readStart(chunk, at)
    }
  }

  /** One empty line before a request is passed over, as RFC 9112, 2.2 asks: old clients send one after a body. */
  #readStart(chunk: Buffer, at: number): number {
    if (this.#phase === Phase.blankFeed) {
      if (chunk[at] !== lf) return this.#failAt(at, malformed('A carriage return stands alone.'))
      this.#phase = Phase.idle
      return at + 1
    }
    if (chunk[at] === cr && this.#grammar.allowsBlankLine && !this.#sawBlankLine) {
      this.#sawBlankLine = true
      this.#phase = Phase.blankFeed
      return at + 1
    }
    this.#phase = Phase.head
    this.#section.begin(true)
    return this.#readHead(chunk, at)
  }

  #readHead(chunk: Buffer, from: number): number {
    const section = this.#section
    const at = section.read(chunk, from)
    if (section.problem !== undefined) return this.#failAt(at, this.#ofHead(section.problem))
    if (!section.isWhole) return at
    const head = this.#grammar.headOf(section.text, section.fields(), section.repeated)
    section.release()
    if ('message' in head) this.#fail(this.#ofHead(head))
    else if (this.#grammar.isInterim(head)) this.#interim(head)
    else this.#begin(head)
    return at
  }

  /** The problem of a head, with what its start line says of the answer. */
  #ofHead(problem: MessageProblem): MessageProblem {
    const isOfHead = this.#section.isPastStartLine && this.#grammar.asksForHeadOnly()
    return isOfHead ? { ...problem, isOfHead } : problem
  }

  #interim(head: H): void {
    this.#phase = Phase.idle
    if (++this.#interims > maxInterims) this.#fail(malformed('There is no end of interim responses.'))
    else this.#sink.onInterim(head)
  }

  #begin(head: H): void {
    const { framing } = head
    this.#interims = 0
    this.#phase = phaseAfter(framing)
    if (framing.kind === 'length') this.#left = framing.bytes
    else if (framing.kind === 'chunked') this.#chunks.begin()
    const isOver = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0)
    this.#sink.onHead(head)
    if (isOver) this.#sink.onEnd(undefined)
  }

  #readPayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left)
    this.#left -= end - at
    const isLast = this.#left === 0 && this.#phase === Phase.payload
    if (this.#left === 0 && !isLast) {
      this.#phase = Phase.chunkLine
      this.#chunks.next()
    }
    if (isLast) this.#phase = Phase.ended
    this.#sink.onData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
    if (isLast) this.#sink.onEnd(undefined)
    return end
  }

  #readChunkLine(chunk: Buffer, from: number): number {
    const at = this.#chunks.read(chunk, from)
    if (this.#chunks.problem !== undefined) return this.#failAt(at, this.#chunks.problem)
    if (!this.#chunks.isWhole) return at
    this.#left = this.#chunks.size
    this.#phase = this.#left === 0 ? Phase.trailers : Phase.chunkPayload
    if (this.#left === 0) this.#section.begin(false)
    return at
  }

  #readTrailers(chunk: Buffer, from: number): number {
    const section = this.#section
    const at = section.read(chunk, from)
    if (section.problem !== undefined) return this.#failAt(at, section.problem)
    if (!section.isWhole) return at
    const trailers = permittedTrailers(section.fields())
    section.release()
    this.#phase = Phase.ended
    this.#sink.onEnd(trailers)
    return at
  }

  #end(): void {
    this.#phase = Phase.ended
    this.#sink.onEnd(undefined)
  }

  #failAt(at: number, problem: MessageProblem): number {
    this.#fail(problem)
    return at
  }

  #fail(problem: MessageProblem): void {
    this.#phase = Phase.failed
    this.#interims = 0
    this.#sink.onProblem(problem)
  }
}

function phaseAfter(framing: FramedHead['framing']): number {
  switch (framing.kind) {
    case 'length':
      return framing.bytes === 0 ? Phase.ended : Phase.payload
    case 'chunked':
      return Phase.chunkLine
    case 'close':
      return Phase.toClose
    default:
      return Phase.ended
  }
}
