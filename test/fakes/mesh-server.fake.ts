// A server of io.linkerd.mesh whose every answer a test writes; what was said last of a name or an id begins each new stream.
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type status,
} from '@grpc/grpc-js'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { formatDentry } from '../../naming/format.ts'
import { showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { decodeBindReq, decodePathReq, encodeBoundTreeRsp } from '../../proto/mesh-messages.ts'
import { encodeReplicas } from '../../proto/mesh-replicas.ts'
import { codecService, interpreterService, resolverService } from '../../proto/mesh-services.ts'
import type { State } from '../../watch/state.ts'

type Stream = ServerWritableStream<Buffer, Buffer>

export class FakeMeshServer {
  /** Streams in the order in which they were opened: `/default /svc/web`, with the local dtab behind it, and `/#/fs/a`. */
  readonly asked: string[] = []
  /** Connections that asked for anything. */
  greetings = 0
  readonly #server: Server
  readonly #streams = new Map<string, Set<Stream>>()
  readonly #said = new Map<string, Buffer>()
  #port = 0

  private constructor(server: Server) {
    this.#server = server
    server.addService(interpreterService, {
      StreamBoundTree: (stream: Stream) => this.#open(askedName(stream), stream),
    })
    server.addService(resolverService, { StreamReplicas: (stream: Stream) => this.#open(askedId(stream), stream) })
    server.addService(codecService, {
      ReadPath: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        this.greetings++
        answer(null, Buffer.alloc(0))
      },
    })
  }

  /** Rejects when the port is taken. */
  static async start(port = 0): Promise<FakeMeshServer> {
    const server = new Server()
    const fake = new FakeMeshServer(server)
    fake.#port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    )
    return fake
  }

  get port(): number {
    return this.#port
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** What has an open stream now, in order of their texts. */
  get open(): readonly string[] {
    return [...this.#streams].flatMap(([key, streams]) => (streams.size > 0 ? [key] : [])).toSorted()
  }

  /** The tree of a name of the namespace `default`. */
  tell(name: string, tree: BoundTree): void {
    this.send(`/default ${name}`, encodeBoundTreeRsp(tree))
  }

  tellReplicas(id: string, state: State<ReplicaSet>): void {
    this.send(id, encodeReplicas(state))
  }

  /** Any bytes. */
  send(key: string, message: Buffer): void {
    this.#said.set(key, message)
    for (const stream of this.#streams.get(key) ?? []) stream.write(message)
  }

  /** Ends the streams of a name or an id; without a code as a server that has no more to say. */
  end(key: string, code?: status, details = '', metadata = new Metadata()): void {
    const streams = this.#streams.get(key) ?? []
    this.#streams.delete(key)
    for (const stream of streams) {
      if (code === undefined) stream.end()
      else stream.emit('error', { code, details, metadata })
    }
  }

  /** What a new stream of it begins with is forgotten. */
  forget(key: string): void {
    this.#said.delete(key)
  }

  /** Asks its peers to go elsewhere, and serves them until they do. */
  leave(): void {
    this.#server.tryShutdown(() => {})
  }

  /** Cuts every connection. */
  stop(): void {
    this.#server.forceShutdown()
  }

  #open(key: string, stream: Stream): void {
    this.asked.push(key)
    const streams = this.#streams.get(key) ?? new Set()
    this.#streams.set(key, streams.add(stream))
    for (const end of ['cancelled', 'close', 'finish', 'error']) stream.on(end, () => streams.delete(stream))
    const said = this.#said.get(key)
    if (said !== undefined) stream.write(said)
  }
}

function askedName({ request }: Stream): string {
  const { root = [], name = [], dtab } = decodeBindReq(request)
  const text = `${showPath(root)} ${showPath(name)}`
  return [text, ...dtab.map(formatDentry)].join(' ')
}

function askedId({ request }: Stream): string {
  return showPath(decodePathReq(request) ?? [])
}
