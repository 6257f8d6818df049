// An etcd server on loopback that does what a test says: real gRPC, ranges over a few keys, watches whose every word is the
// test's. Only for what a real etcd cannot be made to do.
import { type Metadata, Server, ServerCredentials, type ServerDuplexStream, type status } from '@grpc/grpc-js'
import { decoder, encoder } from '../../clients/etcd/wire.ts'

interface RangeRequest {
  readonly key: Buffer
  readonly rangeEnd: Buffer
  readonly limit: string
  readonly revision: string
}

export interface FakeStatus {
  readonly code: status
  readonly text: string
}

const asBytes = (bytes: Buffer): Buffer => bytes
const encodeRange = encoder('RangeResponse')
const decodeRange = decoder<RangeRequest>('RangeRequest')
const encodeWatch = encoder('WatchResponse')
const decodeWatch = decoder<{ readonly createRequest?: { readonly startRevision: string } }>('WatchRequest')

function methodsOf(service: string, names: readonly string[], isStream: boolean): Parameters<Server['addService']>[0] {
  const entries = names.map(name => [
    name,
    {
      path: `/etcdserverpb.${service}/${name}`,
      requestStream: isStream,
      responseStream: isStream,
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    },
  ])
  return Object.fromEntries(entries)
}

/** One watch that a client has open. */
export class FakeWatch {
  readonly startRevision: number
  isOpen = true
  readonly #stream: ServerDuplexStream<Buffer, Buffer>
  readonly #server: FakeEtcd

  constructor(stream: ServerDuplexStream<Buffer, Buffer>, startRevision: number, server: FakeEtcd) {
    this.#stream = stream
    this.#server = server
    this.startRevision = startRevision
  }

  /** A message with the fields that the test gives. */
  send(message: object): void {
    this.#stream.write(encodeWatch({ header: this.#server.header(), ...message }))
  }

  put(key: string, value: string, more: object = {}): void {
    const revision = this.#server.put(key, value)
    this.send({ events: [{ type: 0, kv: entryOf(key, value, revision) }], ...more })
  }

  fail({ code, text }: FakeStatus): void {
    this.#stream.emit('error', { code, details: text })
  }
}

function entryOf(key: string, value: string, modRevision: number): object {
  return { key: Buffer.from(key), value: Buffer.from(value), modRevision }
}

export class FakeEtcd implements AsyncDisposable {
  readonly watches: FakeWatch[] = []
  readonly logins: string[] = []
  /** Tokens that came with ranges. */
  readonly tokens: (string | undefined)[] = []
  ranges = 0
  revision = 1
  term = 2
  clusterId = '18446744073709551615'
  /** What is said to be reached when somebody asks; nothing is answered when undefined, nor to a watch that begins later. */
  progress: (() => number) | undefined = () => this.revision
  /** Ranges are answered after this. */
  rangeHold: Promise<void> | undefined
  /** What a range is answered with instead. */
  rangeFault: ((token: string | undefined) => FakeStatus | undefined) | undefined
  port = 0
  readonly #server = new Server()
  readonly #entries = new Map<string, { readonly value: string; readonly revision: number }>()

  static async start(): Promise<FakeEtcd> {
    const etcd = new FakeEtcd()
    etcd.#serve()
    etcd.port = await new Promise((resolve, reject) => {
      etcd.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      )
    })
    return etcd
  }

  get endpoint(): string {
    return `127.0.0.1:${this.port}`
  }

  get openWatches(): readonly FakeWatch[] {
    return this.watches.filter(({ isOpen }) => isOpen)
  }

  header(): object {
    return { clusterId: this.clusterId, revision: this.revision, raftTerm: this.term }
  }

  /** Gives the revision; tells no watch. */
  put(key: string, value: string): number {
    this.revision++
    this.#entries.set(key, { value, revision: this.revision })
    return this.revision
  }

  #serve(): void {
    this.#server.addService(methodsOf('KV', ['Range'], false), {
      Range: (
        call: { request: Buffer; metadata: Metadata },
        answer: (error: object | null, bytes?: Buffer) => void,
      ) => {
        this.ranges++
        const token = call.metadata.get('token')[0]?.toString()
        this.tokens.push(token)
        const fault = this.rangeFault?.(token)
        const reply = (): void => {
          if (fault === undefined) answer(null, this.#range(decodeRange(call.request)))
          else answer({ code: fault.code, details: fault.text })
        }
        if (this.rangeHold === undefined) reply()
        else void this.rangeHold.then(reply)
      },
    })
    this.#server.addService(methodsOf('Auth', ['Authenticate'], false), {
      Authenticate: (call: { request: Buffer }, answer: (error: null, bytes: Buffer) => void) => {
        const { name } = decoder<{ readonly name: string }>('AuthenticateRequest')(call.request)
        this.logins.push(name)
        answer(null, encoder('AuthenticateResponse')({ token: `token-${this.logins.length}` }))
      },
    })
    this.#server.addService(methodsOf('Watch', ['Watch'], true), {
      Watch: (stream: ServerDuplexStream<Buffer, Buffer>) => this.#watch(stream),
    })
  }

  #range({ key, rangeEnd, limit }: RangeRequest): Buffer {
    const [from, end] = [key.toString(), rangeEnd.toString()]
    const inRange = [...this.#entries.keys()]
      .sort()
      .filter(name => (end === '' ? name === from : name >= from && name < end))
    const page = limit === '0' ? inRange : inRange.slice(0, Number(limit))
    const kvs = page.map(name => {
      const entry = this.#entries.get(name)
      return entryOf(name, entry?.value ?? '', entry?.revision ?? 0)
    })
    return encodeRange({ header: this.header(), kvs, more: page.length < inRange.length })
  }

  #watch(stream: ServerDuplexStream<Buffer, Buffer>): void {
    let watch: FakeWatch | undefined
    stream.on('data', (bytes: Buffer) => {
      const { createRequest } = decodeWatch(bytes)
      if (createRequest !== undefined) {
        watch = new FakeWatch(stream, Number(createRequest.startRevision), this)
        this.watches.push(watch)
        watch.send({ created: true })
        this.#replay(watch)
      } else if (watch !== undefined && this.progress !== undefined && watch.startRevision <= this.revision) {
        watch.send({ header: { ...this.header(), revision: this.progress() } })
      }
    })
    stream.on('cancelled', () => {
      if (watch !== undefined) watch.isOpen = false
    })
  }

  /** What a watch from a revision that was read already is told again. */
  #replay(watch: FakeWatch): void {
    const reached = this.progress?.() ?? this.revision
    const events = [...this.#entries]
      .filter(([, { revision }]) => revision >= watch.startRevision && revision <= reached)
      .map(([key, { value, revision }]) => ({ type: 0, kv: entryOf(key, value, revision) }))
    if (events.length > 0) watch.send({ events })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown()
  }
}
