// The watch client library: names and replica sets of a Nameplane server as cells, over one stream that comes back by itself.
// A cell that has a good state keeps it, stale, while no server answers; nothing that reads a cell ever asks the server.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { ReceivedUpdate } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import { decodeWatchResponse } from '../../proto/watch-responses.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Cell, Pool, Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import { HeldName } from './held-name.ts'
import { ReplicaStore } from './replica-store.ts'
import { RequestOutbox } from './request-outbox.ts'
import { type ConnectionOptions, type ConnectionState, WatchConnection } from './watch-connection.ts'

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

/** Since the client was made. */
export interface WatchClientCounts {
  readonly messagesSent: number
  readonly messagesReceived: number
  readonly updatesReceived: number
  /** Streams that were opened. */
  readonly connections: number
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
  const names = mirrors<ClientName, BoundTree>(options, 'name', nameText, (name, sink) => session.openName(name, sink))
  const replicas = mirrors<Path, ReplicaSet>(options, 'replicas', showPath, (id, sink) =>
    session.openReplicas(id, sink),
  )
  return {
    bind: name => names.at(name),
    replicas: id => replicas.at(id),
    connection: session.connection.state,
    counts: () => session.counts(),
    close: () => session.close(),
  }
}

/**
 * Cells that show what is received. What feeds them has a pool of its own, for it outlives its last watcher by the linger,
 * and who comes back by then must find it, not open another beside it.
 */
function mirrors<K, T>(
  { kernel, lingerMs = 10_000 }: WatchClientOptions,
  what: string,
  keyText: (key: K) => string,
  open: (key: K, sink: Sink<State<T>>) => () => void,
): Pool<K, T> {
  const received = kernel.pool(
    (key: K) => kernel.source<State<T>>(`${what} ${keyText(key)}`, sink => open(key, sink), { lingerMs }),
    keyText,
  )
  const shown = (key: K): Cell<T> =>
    kernel.derive(`${what} ${keyText(key)}`, read => {
      const state = read(received.at(key))
      return state.kind === 'ok' ? state.value : state
    })
  return kernel.pool(shown, keyText)
}

function nameText({ namespace, path, dtab }: ClientName): string {
  return `${namespace}${showPath(path)}${dtab === undefined ? '' : ` ${dtab}`}`
}

/** Subscriptions on one side, the stream on the other. */
class ClientSession {
  readonly connection: WatchConnection
  readonly #clock: Clock
  readonly #outbox: RequestOutbox
  readonly #replicas: ReplicaStore
  readonly #names = new Map<number, HeldName>()
  /** Names with a tree that waits for its leaves. */
  readonly #waiting = new Set<HeldName>()
  readonly #messages: ReturnType<typeof createCounters> | undefined
  #nextKey = 1
  #cancelFlush: Cancel | undefined
  #messagesSent = 0
  #messagesReceived = 0
  #updatesReceived = 0
  #connections = 0

  constructor(options: WatchClientOptions) {
    this.#clock = options.clock
    this.#replicas = new ReplicaStore(options.clock, replicas => {
      this.#outbox.replicasChanged(replicas)
      this.#flushSoon()
    })
    this.#outbox = new RequestOutbox({ id: options.clientId, version: options.clientVersion ?? '' })
    this.#messages = options.metrics && createCounters(options.metrics)
    this.connection = new WatchConnection(options, {
      opened: () => this.#start(),
      received: message => this.#receive(message),
      sendable: () => this.#flush(),
      lost: reason => this.#lose(reason),
    })
  }

  openName({ namespace, path, dtab = '' }: ClientName, sink: Sink<State<BoundTree>>): () => void {
    const name: WireName = { namespace, path, dtab }
    const held = new HeldName(this.#nextKey++, name, this.#replicas, this.#clock)
    this.#names.set(held.key, held)
    held.shown.attach(sink)
    this.#outbox.subscribe(held)
    this.#flushSoon()
    return () => {
      held.shown.detach()
      if (!this.#names.delete(held.key)) return
      held.close()
      this.#waiting.delete(held)
      this.#outbox.unsubscribe(held)
      this.#flushSoon()
    }
  }

  openReplicas(id: Path, sink: Sink<State<ReplicaSet>>): () => void {
    const held = this.#replicas.at(id)
    held.shown.attach(sink)
    this.#outbox.replicasChanged(held)
    this.#flushSoon()
    return () => {
      held.shown.detach()
      this.#replicas.dropUnused(held)
      this.#outbox.replicasChanged(held)
      this.#flushSoon()
    }
  }

  counts(): WatchClientCounts {
    return {
      messagesSent: this.#messagesSent,
      messagesReceived: this.#messagesReceived,
      updatesReceived: this.#updatesReceived,
      connections: this.#connections,
      names: this.#names.size,
      replicas: this.#replicas.size,
    }
  }

  close(): void {
    for (const held of this.#names.values()) held.close()
    this.#names.clear()
    this.connection.close()
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
  }

  #start(): void {
    this.#connections++
    this.#outbox.restart(this.#names.values(), this.#replicas.watched())
    this.#flush()
  }

  /** Subscriptions made in one turn of the event loop go out together. */
  #flushSoon(): void {
    this.#cancelFlush ??= this.#clock.defer(() => {
      this.#cancelFlush = undefined
      this.#flush()
    })
  }

  #flush(): void {
    if (!this.connection.canSend) return
    const message = this.#outbox.take()
    if (message === undefined) return
    this.#messagesSent++
    this.#messages?.sent.inc()
    this.connection.send(message)
  }

  #receive(message: Buffer): void {
    this.#messagesReceived++
    this.#messages?.received.inc()
    const { updates } = decodeWatchResponse(message)
    for (const update of updates) this.#apply(update)
    this.#replicas.dropUnclaimed()
    this.#updatesReceived += updates.length
    for (const held of this.#waiting) {
      held.showIfReady()
      if (!held.isWaiting) this.#waiting.delete(held)
    }
  }

  #apply(update: ReceivedUpdate): void {
    if (update.kind === 'replicas') {
      this.#replicas.receive(update)
      return
    }
    // A name that was given up while this was on its way is no more.
    const held = this.#names.get(update.key)
    held?.receive(update.hash, update.state)
    if (held?.isWaiting) this.#waiting.add(held)
  }

  #lose(reason: Error): void {
    const stale = { since: this.#clock.now(), reason }
    for (const held of this.#names.values()) held.lose(stale)
    this.#replicas.lose(stale)
  }
}

function createCounters(metrics: Metrics) {
  return {
    sent: metrics.counter({
      name: 'nameplane_watch_client_messages_sent_total',
      help: 'Messages sent to the naming server: subscriptions and their ends.',
    }),
    received: metrics.counter({
      name: 'nameplane_watch_client_messages_received_total',
      help: 'Messages received from the naming server.',
    }),
  }
}
