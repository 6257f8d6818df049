// A handler that writes down what it is told, and bodies that a test feeds.
import type { Socket } from 'node:net'
import type { BodySink, RequestBody } from '../../../proxy-client/exchange/inbound.ts'
import type { Fields } from '../../../proxy-client/http1/fields.ts'
import type { ResponseHead } from '../../../proxy-client/http1/message.ts'
import type { UpstreamFailure, UpstreamHandler, UpstreamRequest } from '../../../proxy-client/pool/upstream.ts'

export class RecordingHandler implements UpstreamHandler {
  /** In order: `interim 100`, `200`, `data`, `end`, `tunnel`, or the kind of a failure. */
  readonly events: string[] = []
  body = ''
  trailers = ''
  failure: UpstreamFailure | undefined
  tunnel: { readonly socket: Socket; readonly early: Buffer } | undefined
  takesData = true
  isDrained = true
  readonly #waiting = new Set<() => void>()

  onInterim({ status }: ResponseHead): void {
    this.#record(`interim ${status}`)
  }

  onResponse({ status }: ResponseHead): void {
    this.#record(String(status))
  }

  onData(slice: Buffer): boolean {
    this.body += slice.toString('latin1')
    this.#record('data')
    return this.takesData
  }

  onEnd(trailers: Fields | undefined): void {
    this.trailers = trailers?.lines(0) ?? ''
    this.#record('end')
  }

  onFlush(): void {
    this.#wake()
  }

  onTunnel({ status }: ResponseHead, socket: Socket, early: Buffer): void {
    this.tunnel = { socket, early }
    this.#record(`tunnel ${status}`)
  }

  onFailure(failure: UpstreamFailure): void {
    this.failure = failure
    this.#record(failure.kind)
  }

  /** Settles once the condition holds; it is looked at after every event. */
  async until(condition: (handler: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>(resolve => this.#waiting.add(resolve))
    return this
  }

  /** Settles when it is over. */
  over(): Promise<this> {
    return this.until(({ events }) => ended.test(events.at(-1) ?? ''))
  }

  #record(event: string): void {
    if (event !== 'data' || this.events.at(-1) !== 'data') this.events.push(event)
    this.#wake()
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

const ended = /^(?:end|tunnel \d+|refused|crowded|unanswered|broken|malformed|bodyCut)$/

export function requestFor(method = 'GET', changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method,
    headText: `${method} / HTTP/1.1\r\nHost: web\r\n`,
    body: undefined,
    expectsContinue: false,
    upgrade: undefined,
    ...changes,
  }
}

/** A body that flows when the test says so. */
export class FedBody implements RequestBody {
  readonly length: number | undefined
  sink: BodySink | undefined
  isDiscarded = false
  resumes = 0
  readonly #first: string

  /** `first` is what came with the head. */
  constructor(length?: number, first = '') {
    this.length = length
    this.#first = first
  }

  open(sink: BodySink): void {
    this.sink = sink
    if (this.#first !== '') this.feed(this.#first)
  }

  /** Whether the sink takes more. */
  feed(data: string | Buffer): boolean {
    const slice = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    const takesMore = this.sink?.onData(slice) ?? true
    this.sink?.onFlush()
    return takesMore
  }

  end(trailers?: Fields): void {
    this.sink?.onEnd(trailers)
  }

  resume(): void {
    this.resumes++
  }

  discard(): void {
    this.isDiscarded = true
    this.sink = undefined
  }
}
