// A program's own view of a Nameplane server: names and endpoints that keep themselves up to date, over one stream.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import { type Log, silentLog } from '../../runtime/log.ts'
import { version } from '../../runtime/version.ts'
import type { Cell, Unwatch, Watcher } from '../../watch/cell.ts'
import { type Clock, systemClock, systemRandom } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import type { State } from '../../watch/state.ts'
import type { NameResolver } from '../naming.ts'
import { createWatchClient } from '../watch/watch-client.ts'
import type { ConnectionState } from '../watch/watch-connection.ts'

export interface NamingClientOptions {
  /** `host:port` of the gRPC interface of each server; they hold the same namespaces, and one is used at a time. */
  readonly addresses: readonly string[]
  /** Where names are looked up unless a call says otherwise; `default` when absent. */
  readonly namespace?: string
  /** Where the connection's troubles are told; nowhere when absent. A pino logger will do. */
  readonly log?: Log
  /** Time as a test wants it. */
  readonly clock?: Clock
}

export interface NameOptions {
  readonly namespace?: string
  /** Text of a local dtab that wins over the namespace's, as of the header l5d-dtab. */
  readonly dtab?: string
}

export interface WatchOptions extends NameOptions {
  /** Ends the watch. */
  readonly signal?: AbortSignal
}

/** Makes names into cells. The maker closes it. */
export interface NamingClient {
  /** The binding of a name such as `/svc/web`. Throws a bad-path error. */
  bind(name: string, options?: NameOptions): Cell<BoundTree>
  /** The endpoints of a bound id, as it stands in a binding. */
  endpoints(id: string | Path): Cell<ReplicaSet>
  /** Calls back with what is known of a name before it returns, then after each change. A throw of the callback is logged. */
  watch(name: string, callback: Watcher<BoundTree>, options?: WatchOptions): Unwatch
  /** The same for the endpoints of a bound id. */
  watchEndpoints(id: string | Path, callback: Watcher<ReplicaSet>, signal?: AbortSignal): Unwatch
  /** Where the stream to the server stands. */
  readonly connection: Cell<ConnectionState>
  /** Ends the stream and every watch. Harmless when called twice. */
  close(): void
}

/** What the balancers of this library need of a client, beside what everybody sees. */
export interface ClientInside {
  readonly resolver: NameResolver
  readonly clock: Clock
  readonly namespace: string
  /** While no server is connected: one sentence that says why. */
  readonly problem: () => string | undefined
  /** Calls back when the client is closed, at once when it is; until the returned function is called. */
  readonly onClose: (run: () => void) => () => void
}

const insides = new WeakMap<NamingClient, ClientInside>()

/** bad-config for an object that no createNamingClient made. */
export function insideOf(client: NamingClient): ClientInside {
  const inside = insides.get(client)
  if (inside === undefined) throw new NamingError('bad-config', 'Not a client that createNamingClient made.')
  return inside
}

/**
 * Connects at once, and again for ever. No call waits for the server: what is not known yet is pending, and what was known
 * stays, marked stale, while the server is away.
 */
export function createNamingClient(options: NamingClientOptions): NamingClient {
  const { addresses, namespace = 'default', log = silentLog, clock = systemClock } = options
  const kernel = createKernel({
    clock,
    onError: (error, where) => log.error({ err: error, where }, 'a watcher failed'),
  })
  const clientId = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  const random = systemRandom
  const watching = createWatchClient({ kernel, clock, random, log, addresses, clientId, clientVersion: version })
  return namingClientOver(
    { resolver: watching, clock, namespace },
    {
      connection: watching.connection,
      close: () => {
        watching.close()
        kernel.close()
      },
    },
  )
}

/** A client over any source of names. */
export function namingClientOver(
  source: Omit<ClientInside, 'onClose' | 'problem'>,
  ends: Readonly<Pick<NamingClient, 'connection' | 'close'>>,
): NamingClient {
  const closing = new Closing()
  const inside = { ...source, problem: () => problemOf(ends.connection.peek()), onClose: closing.listen }
  const { resolver } = inside
  const bind = (name: string, { namespace = inside.namespace, dtab }: NameOptions = {}): Cell<BoundTree> =>
    resolver.bind({ namespace, path: pathOf(name), ...(dtab !== undefined && { dtab }) })
  const endpoints = (id: string | Path): Cell<ReplicaSet> => resolver.replicas(typeof id === 'string' ? pathOf(id) : id)
  const client: NamingClient = {
    connection: ends.connection,
    close: () => {
      ends.close()
      closing.tell()
    },
    bind,
    endpoints,
    watch: (name, callback, { signal, ...where } = {}) => bind(name, where).watch(callback, signal),
    watchEndpoints: (id, callback, signal) => endpoints(id).watch(callback, signal),
  }
  insides.set(client, inside)
  return client
}

/** Those who are told of a close, once. */
class Closing {
  readonly #listeners = new Set<() => void>()
  #isOver = false

  readonly listen = (run: () => void): (() => void) => {
    if (this.#isOver) run()
    else this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  tell(): void {
    this.#isOver = true
    for (const run of [...this.#listeners]) run()
    this.#listeners.clear()
  }
}

function problemOf(connection: State<ConnectionState>): string | undefined {
  return connection.kind === 'ok' && connection.value.kind === 'waiting' ? connection.value.reason : undefined
}

function pathOf(text: string): Path {
  return orThrow(parsePath(text))
}
