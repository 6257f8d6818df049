// A source of names that remembers on disk what it knew last, and serves it, marked stale, from a start until a server answers.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import type { Env } from '../../runtime/env.ts'
import { type Cell, type Pool, relayGroup, type Sink } from '../../watch/cell.ts'
import type { Ok, State } from '../../watch/state.ts'
import { createMirrors } from '../mirrors.ts'
import type { NameQuery, NamingClient, NamingStatus } from '../naming.ts'
import { GoodMemory } from './good-memory.ts'
import { GoodWriter } from './good-writer.ts'
import { SavedFiles } from './saved-files.ts'
import {
  decodeReplicas,
  decodeTree,
  encodeReplicas,
  encodeTree,
  type SavedEntry,
  type SavedKind,
} from './saved-state.ts'
import { savedState, WarmCell } from './warm-cell.ts'

export interface LastGoodOptions {
  /** A directory of this proxy alone. */
  readonly path: string
  readonly maxAgeMs: number
  /** Addresses of the servers. */
  readonly servers: readonly string[]
  /** Which of the processes of a proxy this is. */
  readonly worker: number
}

/**
 * The client with a memory on disk. Closing it writes what is not written yet and closes the client. Never rejects: what
 * cannot be read or written is logged, and the client then serves as it would alone.
 */
export async function withLastGood(client: NamingClient, options: LastGoodOptions, env: Env): Promise<NamingClient> {
  const naming = new LastGoodNaming(client, options, env)
  await naming.load()
  return naming
}

/** While a server is connected it has so long to answer before what was known once is shown, in milliseconds. */
const patienceMs = 1_000

/** How a kind of value is kept. */
interface Form<T> {
  readonly kind: SavedKind
  readonly decode: (content: Uint8Array) => T
  /** undefined when it is not worth keeping. */
  readonly encode: (value: T) => Uint8Array | undefined
  readonly needs: (value: T) => readonly Cell<unknown>[]
}

class LastGoodNaming implements NamingClient {
  readonly #client: NamingClient
  readonly #env: Env
  readonly #maxAgeMs: number
  readonly #files: SavedFiles
  readonly #memory: GoodMemory
  readonly #writer: GoodWriter
  readonly #trees: Pool<NameQuery, BoundTree>
  readonly #sets: Pool<Path, ReplicaSet>
  #loaded: NamingStatus['lastGood']

  constructor(client: NamingClient, options: LastGoodOptions, env: Env) {
    const { clock, log } = env
    this.#client = client
    this.#env = env
    this.#maxAgeMs = options.maxAgeMs
    this.#files = new SavedFiles({ ...options, log })
    this.#memory = new GoodMemory(clock, options.maxAgeMs)
    this.#writer = new GoodWriter({ clock, log, path: this.#files.path, write: () => this.#write() })
    const never = env.kernel.input<never>('nothing')
    const trees: Form<BoundTree> = {
      kind: 'tree',
      decode: decodeTree,
      encode: tree => (hasLeaf(tree) ? encodeTree(tree) : undefined),
      needs: tree => this.#leavesOf(tree),
    }
    const sets: Form<ReplicaSet> = {
      kind: 'replicas',
      decode: decodeReplicas,
      encode: set => (set.kind === 'bound' ? encodeReplicas(set) : undefined),
      // Servers that know another world say first that an id does not exist, and then which one the name has now.
      needs: set => (set.kind === 'bound' ? [] : [never]),
    }
    this.#trees = this.#pool(trees, query => client.bind(query), textOf)
    this.#sets = this.#pool(sets, id => client.replicas(id), showPath)
  }

  async load(): Promise<void> {
    const { entries, savedAt } = await this.#files.load(this.#env.clock.now(), this.#maxAgeMs)
    const oldestFirst = entries.toSorted((a, b) => a.confirmedAt - b.confirmedAt)
    for (const entry of oldestFirst) this.#memory.put(entry)
    const names = entries.filter(({ kind }) => kind === 'tree').length
    if (names > 0) this.#loaded = { names, savedAt }
  }

  bind(query: NameQuery): Cell<BoundTree> {
    return this.#trees.at(query)
  }

  replicas(id: Path): Cell<ReplicaSet> {
    return this.#sets.at(id)
  }

  status(): NamingStatus {
    const status = this.#client.status()
    return this.#loaded === undefined ? status : { ...status, lastGood: this.#loaded }
  }

  async close(): Promise<void> {
    await this.#writer.close()
    await this.#client.close()
  }

  async #write(): Promise<void> {
    const savedAt = this.#env.clock.now()
    await this.#files.write(savedAt, await this.#memory.records())
  }

  #leavesOf(tree: BoundTree): readonly Cell<unknown>[] {
    const cells: Cell<unknown>[] = []
    eachLeaf(tree, ({ id }) => cells.push(this.replicas(id)))
    return cells
  }

  #pool<K, T>(form: Form<T>, cellOf: (key: K) => Cell<T>, textOf: (key: K) => string): Pool<K, T> {
    return createMirrors({
      kernel: this.#env.kernel,
      what: `${form.kind}, or the last good one, of`,
      keyText: textOf,
      open: (key, sink) => this.#open(form, textOf(key), cellOf(key), sink),
      lingerMs: 0,
      group: relayGroup,
    })
  }

  #open<T>(form: Form<T>, key: string, cell: Cell<T>, sink: Sink<State<T>>): () => void {
    const { kind } = form
    const onChange = (): void => {
      this.#memory.answered(kind, key)
      this.#writer.changed()
    }
    const { clock } = this.#env
    const saved = this.#saved(form, key)
    const holdMs = saved !== undefined && this.#client.status().connected ? patienceMs : 0
    const warm = new WarmCell({ clock, cell, sink, saved, holdMs, needs: form.needs, onChange })
    this.#memory.open(kind, key, () => this.#entryOf(form, key, warm))
    return () => {
      this.#memory.close(kind, key)
      warm.close()
    }
  }

  #saved<T>({ kind, decode }: Form<T>, key: string): Ok<T> | undefined {
    const entry = this.#memory.saved(kind, key)
    try {
      return entry && savedState(decode(entry.content), entry.confirmedAt)
    } catch (error) {
      this.#env.log.warn({ err: error, key }, 'what was known last of a name cannot be read, and is ignored')
      return undefined
    }
  }

  #entryOf<T>({ kind, encode }: Form<T>, key: string, warm: WarmCell<T>): SavedEntry | undefined {
    const state = warm.answered
    if (state?.kind !== 'ok') return undefined
    const content = encode(state.value)
    if (content === undefined) return undefined
    return { kind, key, confirmedAt: Math.round(state.stale?.since ?? this.#env.clock.now()), content }
  }
}

function hasLeaf(tree: BoundTree): boolean {
  let has = false
  eachLeaf(tree, () => {
    has = true
  })
  return has
}

/** A local dtab begins with `/`, and no path has a space. */
function textOf({ namespace, path, dtab = '' }: NameQuery): string {
  return `${namespace}${showPath(path)}${dtab === '' ? '' : ` ${dtab}`}`
}
