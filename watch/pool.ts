// One cell per key while anyone observes it. Keeps nothing of a key that nobody observes.
import { type Cell, nodeOf, type Pool, type Unwatch, type Watcher } from './cell.ts'
import type { Core } from './core.ts'
import { type Home, type Node, nodeBehind } from './node.ts'
import type { State } from './state.ts'

export class KeyedPool<K> implements Pool<K, unknown> {
  readonly core: Core
  readonly live = new Map<string, PooledCell<K>>()
  readonly create: (key: K) => Cell<unknown>
  readonly #keyText: (key: K) => string

  constructor(core: Core, create: (key: K) => Cell<unknown>, keyText: (key: K) => string) {
    this.core = core
    this.create = create
    this.#keyText = keyText
  }

  at(key: K): Cell<unknown> {
    const text = this.#keyText(key)
    return this.live.get(text) ?? new PooledCell(this, key, text)
  }

  get size(): number {
    return this.live.size
  }

  *keys(): Iterable<K> {
    for (const { key } of this.live.values()) yield key
  }
}

/** A key's cell, whichever node serves it at the time; its own is made when it is first needed. */
class PooledCell<K> implements Cell<unknown>, Home {
  readonly #pool: KeyedPool<K>
  readonly key: K
  readonly #text: string
  #node: Node | undefined

  constructor(pool: KeyedPool<K>, key: K, text: string) {
    this.#pool = pool
    this.key = key
    this.#text = text
  }

  get name(): string {
    return this[nodeOf]().name
  }

  peek(): State<unknown> {
    return this[nodeOf]().peek()
  }

  watch(watcher: Watcher<unknown>, signal?: AbortSignal): Unwatch {
    return this[nodeOf]().watch(watcher, signal)
  }

  [nodeOf](): Node {
    const live = this.#pool.live.get(this.#text) ?? this
    live.#node ??= live.#make()
    return live.#node
  }

  enter(): void {
    this.#pool.live.set(this.#text, this)
  }

  leave(): void {
    this.#pool.live.delete(this.#text)
  }

  #make(): Node {
    const node = nodeBehind(this.#pool.create(this.key), this.#pool.core)
    if (node.home !== undefined || node.isObserved) throw new Error(`${node.name}: a pool needs a cell of its own`)
    node.home = this
    return node
  }
}
