// The watch client library: names and replica sets of a Nameplane server as cells, over one stream that comes back by itself.
// A cell that has a good state keeps it, stale, while no server answers; nothing that reads a cell ever asks the server.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { Move } from '../../proto/watch-responses.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Cell, Sink } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import { createMirrors } from '../mirrors.ts'
import { ClientCounts, type CountName } from './client-counts.ts'
import { HeldResources, unheard } from './held-resources.ts'
import { StreamSession } from './stream-session.ts'
import { type ConnectionOptions, type ConnectionState, WatchConnection } from './watch-connection.ts'
import type { WatchStream } from './watch-stream.ts'

export interface WatchClientOptions extends ConnectionOptions {
  /** Who this is, for the server's operators. */
  readonly clientId: string
  readonly clientVersion?: string
  /** Where messages are counted, beside counts(). */
  readonly metrics?: Metrics
  /** How long a name or replica set stays subscribed after its last watcher left. */
  readonly lingerMs?: number
}

/** A logical name; `dtab` is the text of a local dtab that wins over the namespace's. */
export interface ClientName {
  readonly namespace: string
  readonly path: Path
  readonly dtab?: string
}

/** Since the client was made; what each of them means stands in client-counts.ts. */
export interface WatchClientCounts extends Readonly<Record<CountName, number>> {
  /** Names subscribed now, and replica sets held now. */
  readonly names: number
  readonly replicas: number
}

export interface WatchClient {
  /**
   * The binding of a name, one cell per equal name. A new tree is shown when its leaves are known, at the latest after 5 s.
   * ok and stale: the last good tree, while the server is away or has no answer; failed: there is none, or the server
   * has said that the rules give none.
   */
  bind(name: ClientName): Cell<BoundTree>
  /** The endpoints of a bound id, one cell per id; states as with bind. */
  replicas(id: Path): Cell<ReplicaSet>
  /** Where the stream stands. */
  readonly connection: Cell<ConnectionState>
  counts(): WatchClientCounts
  /** Ends the stream; cells keep what they have. Harmless when called twice. */
  close(): void
}

/** Connects at once. Bad addresses show in `connection`; no address at all is a bad-config error thrown here. */
export function createWatchClient(options: WatchClientOptions): WatchClient {
  const session = new ClientSession(options)
  const { kernel, lingerMs = 10_000 } = options
  const names = createMirrors<ClientName, BoundTree>({
    kernel,
    what: 'name',
    keyText: nameText,
    open: (name, sink) => session.openName(name, sink),
    lingerMs,
  })
  const replicas = createMirrors<Path, ReplicaSet>({
    kernel,
    what: 'replicas',
    keyText: showPath,
    open: (id, sink) => session.openReplicas(id, sink),
    lingerMs,
  })
  return {
    bind: name => names.at(name),
    replicas: id => replicas.at(id),
    connection: session.connection.state,
    counts: () => session.counts(),
    close: () => session.close(),
  }
}

function nameText({ namespace, path, dtab }: ClientName): string {
  return `${namespace}${showPath(path)}${dtab === undefined ? '' : ` ${dtab}`}`
}

/** Who looks on one side, streams on the other. */
class ClientSession {
  readonly connection: WatchConnection
  readonly #options: WatchClientOptions
  readonly #counts: ClientCounts
  readonly #nameSinks = new Map<number, Sink<State<BoundTree>>>()
  readonly #replicaSinks = new Map<Path, Sink<State<ReplicaSet>>>()
  #nextKey = 1
  /** What people see: of the present stream, or of the last one. */
  #held: HeldResources
  #session: StreamSession | undefined
  /** Of the stream that is to take the place of the present one. */
  #successor: StreamSession | undefined
  /** What the server of the successor asks for before it has taken over. */
  #nextMove: { readonly reason: string; readonly endsAt: number } | undefined

  constructor(options: WatchClientOptions) {
    this.#options = options
    this.#counts = new ClientCounts(options.metrics)
    this.#held = new HeldResources(options.clock, unheard)
    this.connection = new WatchConnection(options, {
      opened: (stream, isSuccessor) => this.#open(stream, isSuccessor),
      received: (stream, message) => this.#receive(stream, message),
      sendable: stream => this.#sessionOf(stream)?.flush(),
      switched: () => this.#switchOver(),
      successorLost: () => this.#dropSuccessor(),
      lost: reason => this.#lose(reason),
    })
  }

  openName({ namespace, path, dtab = '' }: ClientName, sink: Sink<State<BoundTree>>): () => void {
    const key = this.#nextKey++
    const name: WireName = { namespace, path, dtab }
    this.#nameSinks.set(key, sink)
    this.#held.openName(key, name).shown.attach(sink)
    this.#successor?.held.openName(key, name)
    return () => {
      this.#nameSinks.delete(key)
      this.#held.closeName(key)
      this.#successor?.held.closeName(key)
    }
  }

  openReplicas(id: Path, sink: Sink<State<ReplicaSet>>): () => void {
    this.#replicaSinks.set(id, sink)
    this.#held.replicas.watch(id).shown.attach(sink)
    this.#successor?.held.replicas.watch(id)
    return () => {
      this.#replicaSinks.delete(id)
      this.#held.replicas.unwatch(id)
      this.#successor?.held.replicas.unwatch(id)
    }
  }

  counts(): WatchClientCounts {
    return { ...this.#counts.all(), names: this.#held.nameCount, replicas: this.#held.replicas.size }
  }

  close(): void {
    this.connection.close()
    this.#session?.close()
    this.#session = undefined
    this.#dropSuccessor()
    this.#held.close()
  }

  #open(stream: WatchStream, isSuccessor: boolean): void {
    this.#counts.add('connections')
    const { clock, random, clientId, clientVersion = '' } = this.#options
    const session: StreamSession = new StreamSession({
      stream,
      client: { id: clientId, version: clientVersion },
      clock,
      random,
      counts: this.#counts,
      held: this.#held,
      onMove: move => this.#move(session, move),
    })
    if (!isSuccessor) {
      this.#show(session)
      return
    }
    this.#successor = session
    this.#switchIfReady()
  }

  #receive(stream: WatchStream, message: Buffer): void {
    this.#sessionOf(stream)?.receive(message)
    this.#switchIfReady()
  }

  #switchIfReady(): void {
    if (this.#successor?.held.isAsGoodAs(this.#held)) this.connection.switchOver()
  }

  #sessionOf(stream: WatchStream): StreamSession | undefined {
    return [this.#session, this.#successor].find(session => session?.stream === stream)
  }

  #move(session: StreamSession, move: Move): void {
    if (session === this.#session) this.connection.move(move)
    else this.#nextMove = { reason: move.reason, endsAt: this.#options.clock.monotonic() + move.withinMs }
  }

  #switchOver(): void {
    const successor = this.#successor
    if (successor === undefined) return
    this.#successor = undefined
    this.#counts.add('moves')
    const reason = new NamingError('unavailable', 'The naming server that this moved to has not confirmed it yet.')
    successor.held.loseUntold({ since: this.#options.clock.now(), reason })
    this.#show(successor)
    const next = this.#nextMove
    this.#nextMove = undefined
    if (next === undefined) return
    const withinMs = Math.max(0, next.endsAt - this.#options.clock.monotonic())
    this.connection.move({ withinMs, reason: next.reason })
  }

  /** What this stream brings is what people see from now on. */
  #show(session: StreamSession): void {
    session.held.takePlaceOf(this.#held)
    this.#session?.close()
    this.#held.close()
    this.#session = session
    this.#held = session.held
    for (const [key, sink] of this.#nameSinks) session.held.name(key)?.shown.attach(sink)
    for (const [id, sink] of this.#replicaSinks) session.held.replicas.get(id)?.shown.attach(sink)
    session.show()
  }

  #dropSuccessor(): void {
    this.#successor?.close()
    this.#successor?.held.close()
    this.#successor = undefined
    this.#nextMove = undefined
  }

  #lose(reason: Error): void {
    this.#session?.close()
    this.#session = undefined
    this.#held.lose({ since: this.#options.clock.now(), reason })
  }
}
