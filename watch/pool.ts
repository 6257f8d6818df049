// One cell per key while anyone observes it. Keeps nothing of a key that nobody observes.
import type { Cell, Pool } from './cell.ts'
import type { Core } from './core.ts'
import { type Home, type Node, nodeBehind } from './node.ts'

/** Finds the living; a cell that was made while none lived under its key stands aside for whichever is observed first. */
export class KeyedPool<K> implements Pool<K, unknown>, Home {
  readonly #core: Core
  readonly #living = new Map<string, Node>()
  readonly #create: (key: K, keyText: string) => Cell<unknown>
  readonly #keyText: (key: K) => string

  constructor(core: Core, create: (key: K, keyText: string) => Cell<unknown>, keyText: (key: K) => string) {
    this.#core = core
    this.#create = create
    this.#keyText = keyText
  }

  at(key: K): Cell<unknown> {
    const text = this.#keyText(key)
    return this.#living.get(text) ?? this.#make(key, text)
  }

  get size(): number {
    return this.#living.size
  }

  keys(): Iterable<string> {
    return this.#living.keys()
  }

  enter(node: Node): void {
    this.#living.set(node.key, node)
  }

  leave(node: Node): void {
    this.#living.delete(node.key)
  }

  living(node: Node): Node | undefined {
    return this.#living.get(node.key)
  }

  #make(key: K, text: string): Node {
    const node = nodeBehind(this.#create(key, text), this.#core)
    if (node.home !== undefined || node.isObserved) throw new Error(`${node.name}: a pool needs a cell of its own`)
    node.home = this
    node.key = text
    return node
  }
}
