// The HTTP API over a memory store, the real interpreter and a namer whose answers a test sets by hand.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createHttpApi, type HttpApi, type HttpApiOptions } from '../../../api/http/index.ts'
import { ProxyRegistry } from '../../../api/push/proxy-registry.ts'
import { createInterpreter } from '../../../interpreters/create-interpreter.ts'
import type { HeldName, Namer, NamerGuard } from '../../../interpreters/namer.ts'
import { NamingError } from '../../../naming/errors.ts'
import { leaf, neg } from '../../../naming/name-tree.ts'
import type { Path } from '../../../naming/path.ts'
import type { Endpoint, ReplicaSet } from '../../../naming/replica-set.ts'
import type { Log } from '../../../runtime/log.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'
import { Fleet } from '../../../server/proxies/fleet.ts'
import type { SharedServers } from '../../../server/servers/shared-servers.ts'
import { createSources } from '../../../server/sources.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Store } from '../../../storage/store.ts'
import type { Input, Kernel } from '../../../watch/cell.ts'
import { systemClock } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { failed, ok, pendingOn } from '../../../watch/state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakePeers } from '../../fakes/peers.fake.ts'
import { FakeNetwork, loneServer } from '../../fakes/servers.fake.ts'

/** Turns of the event loop are real, time moves only by `advance`. */
export class SteppedClock extends FakeClock {
  override defer = systemClock.defer
}

/** A namer under /#/io.test. A name is known once its set exists; `wait` is pending for ever. */
export class TestNamer implements Namer {
  readonly prefix: Path = ['#', 'io.test']
  readonly #kernel: Kernel
  readonly #sets = new Map<string, Input<ReplicaSet>>()
  readonly #known: Input<readonly string[]>
  /** A name whose look-up fails. */
  failing: string | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    this.#known = kernel.input<readonly string[]>('known', { initial: [] })
  }

  /** Makes a name known, with addresses such as `10.0.0.1:80`; without any it is pending. */
  set(name: string, ...addresses: readonly string[]): Input<ReplicaSet> {
    const known = this.#sets.get(name)
    const cell = known ?? this.#kernel.input<ReplicaSet>(`set ${name}`)
    if (addresses.length > 0) cell.set({ kind: 'bound', endpoints: addresses.map(endpointOf) })
    if (known === undefined) {
      this.#sets.set(name, cell)
      this.#known.set([...this.#sets.keys()])
    }
    return cell
  }

  lookup: Namer['lookup'] = (rest, read) => {
    const [name = '', ...residual] = rest
    if (name === 'wait') return pendingOn('/#/io.test/wait')
    if (name === this.failing) return failed(new NamingError('namer-unavailable', 'the backend is away'))
    const known = read(this.#known)
    if (known.kind !== 'ok') return known
    const set = this.#sets.get(name)
    const found = set === undefined ? undefined : read(set, (before, after) => before.kind !== after.kind)
    if (found?.kind === 'ok' && found.value.kind === 'neg') return ok(neg)
    return ok(known.value.includes(name) ? leaf({ kind: 'bound', id: [...this.prefix, name], residual }) : neg)
  }

  replicas: Namer['replicas'] = id =>
    this.#sets.get(id[2] ?? '') ?? this.#kernel.derive('unknown', () => ok({ kind: 'neg' }))

  names = () =>
    this.#kernel.derive('names', read => {
      const known = read(this.#known)
      return known.kind === 'ok' ? ok(known.value.map(name => [...this.prefix, name])) : known
    })

  close(): void {}
}

/** Holds what a test says. */
export class FakeGuard implements NamerGuard {
  holding: readonly HeldName[] = []

  held(): readonly HeldName[] {
    return this.holding
  }

  release(): number {
    const { length } = this.holding
    this.holding = []
    return length
  }
}

/** A namer as sources see it: a prefix and perhaps a guard. */
export function bareNamer(prefix: Path, guard?: NamerGuard): Namer {
  return {
    prefix,
    lookup: () => ok(neg),
    replicas: () => {
      throw new Error('nobody asks')
    },
    ...(guard && { guard }),
    close: () => {},
  }
}

function endpointOf(text: string): Endpoint {
  const [address = '', port] = text.split(':')
  return { address, port: Number(port), weight: 1 }
}

/** Keeps what was logged. */
export class TestLog implements Log {
  readonly lines: { readonly facts: object; readonly message: string }[] = []
  #note = (facts: object, message: string): void => void this.lines.push({ facts, message })
  debug = this.#note
  info = this.#note
  warn = this.#note
  error = this.#note
  child = (): Log => this
}

export interface Fixture {
  readonly api: HttpApi
  readonly store: Store
  readonly kernel: Kernel
  readonly clock: SteppedClock
  readonly namer: TestNamer
  readonly log: TestLog
  readonly metrics: Metrics
  readonly shutdown: AbortController
  /** This server, `self`; alone until a test calls `follow`. */
  readonly servers: SharedServers
  /** The streams to the others. */
  readonly network: FakeNetwork
  /** The proxies that are connected to this server, and those of the others. */
  readonly proxies: ProxyRegistry
  readonly peers: FakePeers
  close(): Promise<void>
}

export interface FixtureOptions extends HttpApiOptions {
  readonly maxDtabBytes?: number
  /** Namers that only sources know. */
  readonly alsoSources?: readonly Namer[]
  readonly namespaces?: Readonly<Record<string, string>>
  /** Stands between the API and the store. */
  readonly wrapStore?: (store: Store, kernel: Kernel) => Store
}

export async function createFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const { maxDtabBytes, namespaces, wrapStore = same, alsoSources = [], ...apiOptions } = options
  const clock = new SteppedClock()
  const log = new TestLog()
  const kernel = createKernel({ clock, onError: (error, where) => log.error({ err: error }, `watcher: ${where}`) })
  const store = wrapStore(
    createMemoryStore({
      kernel,
      clock,
      ...(maxDtabBytes !== undefined && { maxDtabBytes }),
      ...(namespaces && { namespaces }),
    }),
    kernel,
  )
  const namer = new TestNamer(kernel)
  const shutdown = new AbortController()
  const metrics = createMetrics()
  const network = new FakeNetwork()
  const servers = loneServer({ kernel, clock, random: () => 0, log, metrics }, store, network)
  servers.start()
  const interpreter = createInterpreter({ store, kernel, clock, namers: [namer], onVersion: servers.own.takeInUse })
  const namers = [namer, ...alsoSources].map(each => ({ kind: each.prefix[1] ?? '', namer: each }))
  const sources = createSources({ kernel, clock, log, metrics, namers, storageKind: 'inMemory' })
  const proxies = new ProxyRegistry({
    clock,
    kernel,
    namespace: interpreter.namespace,
    server: 'self',
    newest: namespace => servers.newest(namespace),
  })
  const peers = new FakePeers()
  const fleet = new Fleet({ clock, own: proxies, servers, peer: peers.of })
  const ports = { store, interpreter, sources, servers, fleet, kernel, clock, random: () => 0, log, metrics }
  const api = await createHttpApi({ ...ports, shutdown: shutdown.signal }, { pendingGraceMs: 0, ...apiOptions })
  return {
    api,
    store,
    kernel,
    clock,
    namer,
    log,
    metrics,
    shutdown,
    servers,
    network,
    proxies,
    peers,
    close: async () => {
      await api.close()
      servers.close()
      interpreter.close()
      await store.close()
      kernel.close()
    },
  }
}

const same = (store: Store): Store => store

/** Lets everything that is deferred run: several turns of the event loop. */
export async function turns(count = 12): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>(resolve => void systemClock.defer(resolve))
}

/** A response over a real socket, read line by line. */
export class LineReader {
  readonly response: IncomingMessage
  #text = ''
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(response: IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', chunk => {
      this.#text += String(chunk)
      this.#wake?.()
    })
    response.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  /** The next line, without its newline; undefined at the end of the stream. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 1)
        return line
      }
      if (this.#isEnded) return undefined
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async event(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.line()) ?? 'null')
  }
}

/** Opens a GET over a real socket; resolves once the headers are there. */
export function openStream(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<LineReader> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, response =>
      resolve(new LineReader(response)),
    )
    request.on('error', reject)
    request.end()
  })
}
