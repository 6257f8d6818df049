// A client of io.linkerd.mesh: names and replica sets of a namerd, or of a Nameplane server, as cells. One connection, and on
// it a stream for each name and for each bound id, as linkerd has them. A good state is kept, stale, while its stream is away.
import type { Client } from '@grpc/grpc-js'
import { type BoundTree, boundTreeEquals } from '../../naming/bound-tree.ts'
import { emptyDtab } from '../../naming/dtab.ts'
import { parseDtab } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { replicaSetEquals } from '../../naming/replica-set-equals.ts'
import { success } from '../../naming/result.ts'
import { decodeBoundTreeRsp, encodeBindReq, encodePath } from '../../proto/mesh-messages.ts'
import { decodeReplicas } from '../../proto/mesh-replicas.ts'
import { interpreterService, resolverService } from '../../proto/mesh-services.ts'
import type { Cell, Pool, Sink } from '../../watch/cell.ts'
import { failed, ok, type State } from '../../watch/state.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import { createMirrors } from '../mirrors.ts'
import type { NameQuery, NameResolver } from '../naming.ts'
import { createBackoff } from '../retry/backoff.ts'
import { TreeInTurn } from '../tree-in-turn.ts'
import { ShownState, staleSince, stateAfter } from '../watch/held-state.ts'
import { isOfTheName, reasonOf } from './ended-stream.ts'
import { KeptStream, type KeptStreamEvents, type StreamEnd, type StreamMethod } from './kept-stream.ts'
import { LeafWatches } from './leaf-watches.ts'
import { type ConnectionState, MeshConnection, type MeshConnectionOptions, waitsUpTo } from './mesh-connection.ts'

/** Since the client was made; `names`, `replicas` and `streams` now. */
export interface MeshClientCounts {
  readonly connections: number
  readonly messagesReceived: number
  readonly names: number
  readonly replicas: number
  /** How many of their streams are open. */
  readonly streams: number
}

export interface MeshClient extends NameResolver {
  readonly connection: Cell<ConnectionState>
  counts(): MeshClientCounts
  /** Ends the streams and the connection; cells keep what they have. Harmless when called twice. */
  close(): void
}

/** Connects at once, and again for ever; the caller closes it. */
export function createMeshClient(options: MeshConnectionOptions): MeshClient {
  const session = new MeshSession(options)
  return {
    bind: query => session.trees.at(query),
    replicas: id => session.sets.at(id),
    connection: session.connection.state,
    counts: () => session.counts(),
    close: () => session.close(),
  }
}

class MeshSession {
  readonly trees: Pool<NameQuery, BoundTree>
  readonly sets: Pool<Path, ReplicaSet>
  readonly connection: MeshConnection
  readonly #options: MeshConnectionOptions
  readonly #leaves: LeafWatches
  readonly #names = new Set<TreeInTurn>()
  /** Names with a tree that waits for its leaves. */
  readonly #waiting = new Set<TreeInTurn>()
  readonly #streams = new Set<KeptStream>()
  readonly #turns: TurnQueue
  #replicas = 0
  #connections = 0
  #messagesReceived = 0

  constructor(options: MeshConnectionOptions) {
    const { kernel } = options
    // What is not used any more stays in the proxy's caches for minutes; a name that they drop is to go at once.
    const lingerMs = 0
    this.#options = options
    this.#turns = new TurnQueue(options.clock)
    this.trees = createMirrors({
      kernel,
      what: 'name',
      keyText: queryText,
      open: (query, sink) => this.#openName(query, sink),
      lingerMs,
    })
    this.sets = createMirrors({
      kernel,
      what: 'replicas',
      keyText: showPath,
      open: (id, sink) => this.#openReplicas(id, sink),
      lingerMs,
    })
    this.#leaves = new LeafWatches(
      id => this.sets.at(id),
      () => this.#showReady(),
    )
    this.connection = new MeshConnection(options, () => this.#reopen())
  }

  counts(): MeshClientCounts {
    let streams = 0
    for (const stream of this.#streams) if (stream.isOpen) streams++
    return {
      connections: this.#connections,
      messagesReceived: this.#messagesReceived,
      names: this.#names.size,
      replicas: this.#replicas,
      streams,
    }
  }

  close(): void {
    for (const stream of this.#streams) stream.close()
    for (const held of this.#names) held.close()
    this.#streams.clear()
    this.#names.clear()
    this.#waiting.clear()
    this.connection.close()
  }

  /** In turns: a proxy that has thousands of streams forwards requests meanwhile. */
  #reopen(): void {
    this.#connections++
    for (const stream of this.#streams)
      this.#turns.run(() => {
        if (this.#streams.has(stream)) stream.open()
      })
  }

  #openName({ namespace, path, dtab = '' }: NameQuery, sink: Sink<State<BoundTree>>): () => void {
    const held = new TreeInTurn(this.#leaves, this.#options.clock)
    held.shown.attach(sink)
    const parsed = dtab === '' ? success(emptyDtab) : parseDtab(dtab)
    if (!parsed.ok) {
      held.withhold(failed(parsed.error))
      return () => held.shown.detach()
    }
    this.#names.add(held)
    const request = encodeBindReq({ root: [namespace], name: path, dtab: parsed.value })
    const stream = this.#keep(interpreterService.StreamBoundTree, request, {
      received: message => this.#takeTree(held, decodeBoundTreeRsp(message)),
      ended: end => this.#loseTree(held, end),
    })
    return () => {
      held.shown.detach()
      this.#drop(stream)
      this.#waiting.delete(held)
      if (this.#names.delete(held)) held.close()
    }
  }

  #openReplicas(id: Path, sink: Sink<State<ReplicaSet>>): () => void {
    const shown = new ShownState<ReplicaSet>()
    shown.attach(sink)
    this.#replicas++
    const stream = this.#keep(resolverService.StreamReplicas, encodePath(id), {
      received: message => this.#takeReplicas(shown, decodeReplicas(message)),
      ended: end => this.#loseReplicas(shown, end),
    })
    return () => {
      shown.detach()
      this.#replicas--
      this.#drop(stream)
    }
  }

  #keep(method: StreamMethod, request: Uint8Array, events: KeptStreamEvents): KeptStream {
    const { clock, random, retry } = this.#options
    const backoff = createBackoff(waitsUpTo(retry, maxStreamWaitMs), random)
    const client = (): Client | undefined => this.connection.client
    const stream = new KeptStream({ method, request, clock, backoff, client }, events)
    this.#streams.add(stream)
    return stream
  }

  #drop(stream: KeptStream): void {
    stream.close()
    this.#streams.delete(stream)
  }

  /** A server may send a tree for each change of its rules, equal or not. */
  #takeTree(held: TreeInTurn, tree: BoundTree): void {
    this.#messagesReceived++
    const { newest } = held
    if (newest.kind === 'ok' && boundTreeEquals(newest.value, tree)) held.confirm()
    else held.offer(ok(tree))
    if (held.isWaiting) this.#waiting.add(held)
    else this.#waiting.delete(held)
  }

  #loseTree(held: TreeInTurn, end: StreamEnd): void {
    if (held.newest.kind === 'ok') held.lose({ since: this.#options.clock.now(), reason: reasonOf(end) })
    else if (isOfTheName(end)) held.withhold(failed(reasonOf(end)))
  }

  #showReady(): void {
    for (const held of this.#waiting) {
      held.showIfReady()
      if (!held.isWaiting) this.#waiting.delete(held)
    }
  }

  #takeReplicas(shown: ShownState<ReplicaSet>, state: State<ReplicaSet>): void {
    this.#messagesReceived++
    const before = shown.state
    if (state.kind !== 'ok') shown.state = stateAfter(before, state, this.#options.clock.now())
    else if (before.kind === 'ok' && replicaSetEquals(before.value, state.value)) shown.state = ok(before.value)
    else shown.state = state
  }

  #loseReplicas(shown: ShownState<ReplicaSet>, end: StreamEnd): void {
    const reason = reasonOf(end)
    if (shown.state.kind === 'ok') shown.state = staleSince(shown.state, { since: this.#options.clock.now(), reason })
    else if (isOfTheName(end)) shown.state = failed(reason)
  }
}

/** A server that ends a stream is there: when the rules of its name are mended, it is right again after this. */
const maxStreamWaitMs = 60_000

/** A local dtab begins with `/`, and no path has a space. */
function queryText({ namespace, path, dtab = '' }: NameQuery): string {
  return `${namespace}${showPath(path)}${dtab === '' ? '' : ` ${dtab}`}`
}
