// A gRPC server of one method, whose streams send the contents of cells through the session layer, and bare HTTP/2 clients of
// it that may stop reading. Time stands still for tests but for what they move.
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2'
import { type Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js'
import { createGrpcServer, grpcServerDefaults } from '../../../api/grpc/grpc-server.ts'
import { Entry } from '../../../api/push/entry.ts'
import type { Mailbox } from '../../../api/push/mailbox.ts'
import { PushContext, type PushContextOptions } from '../../../api/push/push-context.ts'
import { type PushProtocol, PushStream } from '../../../api/push/push-stream.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { Input, Kernel } from '../../../watch/cell.ts'
import type { Clock } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'

class ContentEntry extends Entry<Buffer> {
  get kind(): 'replicas' {
    return 'replicas'
  }

  get isRemoval(): boolean {
    return false
  }
}

/** Sends each content as a message of its own. */
class ContentStream implements PushProtocol {
  readonly stream: PushStream
  readonly #mailbox: Mailbox
  readonly #entries: readonly ContentEntry[]

  constructor(call: ServerWritableStream<Buffer, Buffer>, cells: readonly Input<Buffer>[], context: PushContext) {
    this.#mailbox = context.mailbox(() => this.stream.wake())
    this.stream = new PushStream(call, this, context)
    this.#entries = cells.map(cell => {
      const entry = new ContentEntry(this.#mailbox)
      entry.open(cell)
      return entry
    })
  }

  nextMessage(): Buffer | undefined {
    const entry = this.#mailbox.next()
    if (!(entry instanceof ContentEntry) || entry.state.kind !== 'ok') return undefined
    entry.noteSent(0)
    return entry.state.value
  }

  release(): boolean {
    for (const entry of this.#entries) entry.close()
    return false
  }
}

const path = '/test.Push/Follow'

export class ContentServer<C extends Clock = SocketClock> implements AsyncDisposable {
  readonly clock: C
  readonly kernel: Kernel
  readonly context: PushContext
  /** Those that were opened, in order; closed ones stay. */
  readonly streams: PushStream[] = []
  /** Calls that HTTP/2 is not through with. */
  calls = 0
  port = 0
  readonly #metrics = createMetrics()
  readonly #cells = new Map<string, Input<Buffer>>()
  readonly #server: Server

  private constructor(clock: C, options: Partial<PushContextOptions>) {
    this.clock = clock
    const onError = (error: unknown, where: string): never => {
      throw new Error(`in ${where}`, { cause: error })
    }
    this.kernel = createKernel({ clock, onError })
    const shared = { clock, kernel: this.kernel, metrics: this.#metrics }
    this.context = new PushContext(shared, { unsentDeadlineMs: 10_000, ...options })
    this.#server = createGrpcServer(grpcServerDefaults)
    const same = (bytes: Buffer): Buffer => bytes
    const codecs = {
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    }
    this.#server.addService(
      { follow: { path, requestStream: false, responseStream: true, ...codecs } },
      { follow: (call: ServerWritableStream<Buffer, Buffer>) => this.#follow(call) },
    )
  }

  /** Listens on a free loopback port. */
  static start(options: Partial<PushContextOptions> = {}): Promise<ContentServer> {
    return ContentServer.startOn(new SocketClock(), options)
  }

  static async startOn<C extends Clock>(clock: C, options: Partial<PushContextOptions>): Promise<ContentServer<C>> {
    const server = new ContentServer(clock, options)
    const { promise, resolve } = Promise.withResolvers<number>()
    server.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => resolve(port))
    server.port = await promise
    return server
  }

  cell(name: string): Input<Buffer> {
    const made = this.#cells.get(name) ?? this.kernel.input<Buffer>(name)
    this.#cells.set(name, made)
    return made
  }

  /** The sum of a counter's series. */
  async count(name: string): Promise<number> {
    const { body } = await this.#metrics.expose()
    const lines = body.split('\n').filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown()
    this.context.close()
    this.kernel.close()
  }

  #follow(call: ServerWritableStream<Buffer, Buffer>): void {
    this.calls++
    call.on('cancelled', () => this.calls--)
    const names = call.request.toString().split(',')
    const { stream } = new ContentStream(
      call,
      names.map(name => this.cell(name)),
      this.context,
    )
    this.streams.push(stream)
  }
}

/** One connection of a client. */
export class BarePeer implements Disposable {
  readonly #session: ClientHttp2Session

  /** `windowBytes`: what a stream, and all of them together, may send before the client has read any of it. */
  constructor(address: string | number, windowBytes = 65_535) {
    const target = typeof address === 'number' ? `127.0.0.1:${address}` : address
    this.#session = connect(`http://${target}`, { settings: { initialWindowSize: windowBytes } })
    this.#session.on('error', () => {})
    if (windowBytes > 65_535) this.#session.on('connect', () => this.#session.setLocalWindowSize(windowBytes))
  }

  follow(...names: readonly string[]): BareStream {
    return new BareStream(this.#session, Buffer.from(names.join(',')))
  }

  /** The same, by a client that says how long it will wait, `1S`. */
  followFor(timeout: string, ...names: readonly string[]): BareStream {
    return new BareStream(this.#session, Buffer.from(names.join(',')), { 'grpc-timeout': timeout })
  }

  [Symbol.dispose](): void {
    this.#session.destroy()
  }
}

export class BareStream {
  readonly #stream: ClientHttp2Stream
  readonly #closed: Promise<unknown>
  #bytes = Buffer.alloc(0)
  #status: string | undefined
  #pushback: string | undefined
  /** What came, whole messages only, as long as nobody else takes them. */
  readonly messages: Buffer[] = []
  onMessage = (message: Buffer): void => void this.messages.push(message)

  constructor(session: ClientHttp2Session, request: Buffer, more: OutgoingHttpHeaders = {}) {
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
    this.#stream = session.request({ ...headers, ...more })
    this.#closed = once(this.#stream, 'close').catch(() => {})
    this.#stream.on('error', () => {})
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#stream.on('trailers', trailers => {
      this.#status = String(trailers['grpc-status'])
      this.#pushback = trailers['grpc-retry-pushback-ms']?.toString()
    })
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(request.length, 1)
    this.#stream.end(Buffer.concat([prefix, request]))
  }

  /** Reads no more, and so gives the server no more room than its window. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Reads one more frame or so. */
  async readSome(): Promise<void> {
    this.#stream.resume()
    await once(this.#stream, 'data')
    this.#stream.pause()
  }

  cancel(): void {
    this.#stream.close(8)
  }

  /** Resolves when it is over: to the code of the reset, or to 0 and the status. */
  async ended(): Promise<{ readonly resetCode: number; readonly status?: string; readonly pushback?: string }> {
    await this.#closed
    return {
      resetCode: this.#stream.rstCode,
      ...(this.#status !== undefined && { status: this.#status }),
      ...(this.#pushback !== undefined && { pushback: this.#pushback }),
    }
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.length >= 5) {
      const end = 5 + this.#bytes.readUInt32BE(1)
      if (this.#bytes.length < end) return
      this.onMessage(this.#bytes.subarray(5, end))
      this.#bytes = this.#bytes.subarray(end)
    }
  }
}

/** Resolves once `isTrue`, asking at each turn of the event loop; the test's own time limit is the only one. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setImmediate(resolve))
}
