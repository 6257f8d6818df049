// A gRPC API on loopback over a real interpreter with one namer in a test's hand, and a client that an independent library
// makes from our .proto files.
import { once } from 'node:events'
import { Client, type ClientReadableStream, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import { createGrpcApi, type GrpcApi, type GrpcApiOptions } from '../../../api/grpc/grpc-api.ts'
import { ProxyRegistry } from '../../../api/push/proxy-registry.ts'
import { createInterpreter } from '../../../interpreters/create-interpreter.ts'
import type { Interpreter } from '../../../interpreters/interpreter.ts'
import type { Namer } from '../../../interpreters/namer.ts'
import { leaf, neg } from '../../../naming/name-tree.ts'
import type { Path } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { meshProtoFile, protoFolder } from '../../../proto/mesh-services.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Cell, Input, Kernel } from '../../../watch/cell.ts'
import { systemClock, systemRandom } from '../../../watch/clock.ts'
import { ok } from '../../../watch/state.ts'
import { path } from '../../fakes/interpreter.fake.ts'
import { loneServer } from '../../fakes/servers.fake.ts'
import { testKernel } from '../grpc/grpc-api.fixture.ts'

/** The namer `/#/test`: nothing is known of a name until a test says it. */
export class HandNamer implements Namer {
  readonly prefix: Path = ['#', 'test']
  readonly #kernel: Kernel
  readonly #names = new Map<string, Input<boolean>>()
  readonly #sets = new Map<string, Input<ReplicaSet>>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** Whether there is such a name. */
  exists(name: string): Input<boolean> {
    const made = this.#names.get(name) ?? this.#kernel.input<boolean>(`name ${name}`)
    this.#names.set(name, made)
    return made
  }

  endpoints(name: string): Input<ReplicaSet> {
    const made = this.#sets.get(name) ?? this.#kernel.input<ReplicaSet>(`set ${name}`)
    this.#sets.set(name, made)
    return made
  }

  lookup: Namer['lookup'] = ([name = '', ...residual], read) => {
    const state = read(this.exists(name))
    if (state.kind !== 'ok') return state
    return ok(state.value ? leaf({ kind: 'bound', id: ['#', 'test', name], residual }) : neg)
  }

  replicas([, , name = '']: Path): Cell<ReplicaSet> {
    return this.endpoints(name)
  }

  close(): void {}
}

export interface MeshServer {
  readonly kernel: Kernel
  readonly interpreter: Interpreter
  readonly namer: HandNamer
  readonly proxies: ProxyRegistry
  readonly metrics: Metrics
  readonly api: GrpcApi
  readonly address: string
  readonly shutdown: AbortController
  /** Writes a version of a namespace; no text deletes it. */
  put(namespace: string, text?: string): Promise<void>
  close(): Promise<void>
}

export async function startMesh(options: GrpcApiOptions = {}): Promise<MeshServer> {
  const kernel = testKernel()
  const namer = new HandNamer(kernel)
  const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
  const store = createMemoryStore(env)
  const interpreter = createInterpreter({ store, kernel, clock: env.clock, namers: [namer] })
  const servers = loneServer(env, store)
  // The fleet's own watches of rules are not among those that a test counts.
  const rules = testKernel().input<{ readonly version: number }>('rules')
  const proxies = new ProxyRegistry({ ...env, namespace: () => rules, server: servers.selfId })
  const shutdown = new AbortController()
  const ports = { ...env, interpreter, servers, proxies, ownProxies: proxies, shutdown: shutdown.signal }
  const api = createGrpcApi(ports, { drainMs: 100, ...options })
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
  return {
    kernel,
    interpreter,
    namer,
    proxies,
    metrics: env.metrics,
    api,
    address: `127.0.0.1:${port}`,
    shutdown,
    put: async (namespace, text) => {
      const write = { namespace, expect: { kind: 'anything' }, author: 'test', verified: false, message: '' } as const
      await store.write({ ...write, ...(text !== undefined && { text }) })
    },
    close: () => api.close(),
  }
}

const files = (['interpreter', 'resolver', 'delegator', 'codec'] as const).map(meshProtoFile)
const definitions = loadSync(files, { keepCase: true, includeDirs: [protoFolder], enums: String, bytes: Buffer })

function methodOf(name: string): MethodDefinition<object, object> {
  const [service = '', method = ''] = name.split('/')
  const definition: unknown = Reflect.get(definitions[`io.linkerd.mesh.${service}`] ?? {}, method)
  if (typeof definition !== 'object' || definition === null) throw new Error(`no method ${name}`)
  return definition as MethodDefinition<object, object> // by the proto-loader's contract
}

/** Plain values: bytes become text of one character each. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** A Path message. */
export function wirePath(text: string): { readonly elems: readonly Buffer[] } {
  return { elems: path(text).map(label => Buffer.from(label, 'latin1')) }
}

export class MeshClient {
  readonly #client: Client

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure())
  }

  /** `Interpreter/GetBoundTree`; rejects with the status. */
  ask(name: string, request: object, deadlineMs = 10_000): Promise<unknown> {
    const { path: method, requestSerialize, responseDeserialize } = methodOf(name)
    const options = { deadline: Date.now() + deadlineMs }
    return new Promise((resolve, reject) =>
      this.#client.makeUnaryRequest(method, requestSerialize, responseDeserialize, request, options, (error, value) =>
        error === null ? resolve(plain(value)) : reject(error),
      ),
    )
  }

  stream(name: string, request: object): StreamProbe {
    const { path: method, requestSerialize, responseDeserialize } = methodOf(name)
    return new StreamProbe(
      this.#client.makeServerStreamRequest(method, requestSerialize, responseDeserialize, request, new Metadata()),
    )
  }

  close(): void {
    this.#client.close()
  }
}

/** A stream that records what comes. */
export class StreamProbe {
  readonly messages: unknown[] = []
  readonly ended: Promise<StatusObject>
  readonly #stream: ClientReadableStream<object>

  constructor(stream: ClientReadableStream<object>) {
    this.#stream = stream
    const { promise, resolve } = Promise.withResolvers<StatusObject>()
    this.ended = promise
    stream.on('data', (message: object) => this.messages.push(plain(message)))
    stream.on('error', () => {})
    stream.on('status', resolve)
  }

  /** Resolves when the server has accepted the stream. */
  async opened(): Promise<void> {
    await once(this.#stream, 'metadata')
  }

  /** The messages, once there are so many. */
  async received(count: number): Promise<readonly unknown[]> {
    while (this.messages.length < count) await once(this.#stream, 'data')
    return this.messages
  }

  cancel(): void {
    this.#stream.cancel()
  }
}
