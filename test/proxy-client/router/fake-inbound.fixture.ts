// A request without a connection, and the response as it was written.
import { Socket } from 'node:net'
import type { BodySink, Inbound, RequestBody, ResponseSink } from '../../../proxy-client/exchange/inbound.ts'
import type { Framing, RequestHead } from '../../../proxy-client/http1/message.ts'
import { type RequestSketch, requestHead } from '../request-head.fixture.ts'

export interface InboundSketch extends RequestSketch {
  readonly host?: string
  /** All of it has come. */
  readonly body?: string
  /** Its length is not announced. */
  readonly isChunked?: boolean
  readonly startedAt?: number
}

/** A body that has come whole, and flows within `open`. */
class WholeBody implements RequestBody {
  readonly length: number | undefined
  readonly #bytes: Buffer
  opened = 0
  isDiscarded = false

  constructor(text: string, isChunked: boolean) {
    this.#bytes = Buffer.from(text)
    this.length = isChunked ? undefined : this.#bytes.length
  }

  open(sink: BodySink): void {
    if (++this.opened > 1) throw new Error('a body flows once')
    // The memory is used again, as a reader may do.
    const slice = Buffer.from(this.#bytes)
    sink.onData(slice)
    sink.onEnd(undefined)
    slice.fill('#')
  }

  resume(): void {}

  discard(): void {
    this.isDiscarded = true
  }
}

export class FakeInbound implements Inbound, ResponseSink {
  readonly head: RequestHead
  readonly method: string
  readonly target: string
  readonly host: string | undefined
  readonly peer = { remoteAddress: '10.0.0.9', remotePort: 5000, localAddress: '127.0.0.1', localPort: 4140 }
  readonly body: WholeBody | undefined
  readonly startedAt: number
  readonly bytesIn = 0
  readonly isDrained = true
  isAbandoned = false
  status = 0
  lines = ''
  framing: Framing | undefined
  text = ''
  interims: number[] = []
  state: 'open' | 'ended' | 'cut' | 'tunnel' = 'open'
  #abandon = (): void => {}
  drain = (): void => {}
  /** What `write` gives. */
  takesMore = true

  constructor({ host = 'web', body, isChunked = false, startedAt = 0, fields = [], ...sketch }: InboundSketch = {}) {
    this.head = requestHead({ ...sketch, fields: [['Host', host], ...fields] })
    this.method = this.head.method
    this.target = this.head.target
    this.host = host
    this.body = body === undefined ? undefined : new WholeBody(body, isChunked)
    this.startedAt = startedAt
  }

  get response(): ResponseSink {
    return this
  }

  get isStarted(): boolean {
    return this.status !== 0
  }

  get bytesOut(): number {
    return this.text.length
  }

  /** The client goes. */
  leave(): void {
    this.isAbandoned = true
    this.#abandon()
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)\r$`, 'mi').exec(this.lines)?.[1]
  }

  /** The message that l5d-err holds. */
  get error(): string {
    return decodeURIComponent(this.header('l5d-err') ?? '')
  }

  onAbandon(run: () => void): void {
    this.#abandon = run
  }

  onDrain(run: () => void): void {
    this.drain = run
  }

  onClose(): void {}

  interim(status: number): void {
    this.interims.push(status)
  }

  start(status: number, _reason: string, lines: string, framing: Framing): void {
    if (this.isStarted) throw new Error('a response starts once')
    this.status = status
    this.lines = lines
    this.framing = framing
  }

  write(slice: Buffer): boolean {
    this.text += slice.toString()
    return this.takesMore
  }

  flush(): void {}

  end(): void {
    if (this.state !== 'open') throw new Error('a response ends once')
    this.state = 'ended'
  }

  cut(): void {
    this.state = 'cut'
  }

  tunnel(status: number, _reason: string, lines: string): { readonly socket: Socket; readonly early: Buffer } {
    this.status = status
    this.lines = lines
    this.state = 'tunnel'
    return { socket: new Socket(), early: Buffer.alloc(0) }
  }
}
