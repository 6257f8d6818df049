// A store whose watch is broken: its cells stay as they are until somebody notices that they are old.
import type { Store } from '../../storage/store.ts'
import type { Cell, Kernel, Sink } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'

export class DeafStore {
  /** While true, changes are not delivered. */
  isDeaf = false
  /** While true, a hint changes nothing either: what is behind cannot be read. */
  isBlind = false
  /** What was noticed, as `namespace version`. */
  readonly hints: string[] = []
  readonly #reread = new Set<() => void>()

  wrap = (store: Store, kernel: Kernel): Store => {
    const heads = kernel.pool(
      (namespace: string) => this.#cell(kernel, store.observe(namespace)),
      namespace => namespace,
    )
    const list = this.#cell(kernel, store.list())
    const own: Partial<Store> = {
      observe: namespace => heads.at(namespace),
      list: () => list,
      noticed: (namespace, version) => {
        this.hints.push(`${namespace} ${version}`)
        if (!this.isBlind) for (const reread of [...this.#reread]) reread()
      },
    }
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #cell<T>(kernel: Kernel, below: Cell<T>): Cell<T> {
    return kernel.source<T>(`deaf ${below.name}`, sink => {
      let isFirst = true
      const unwatch = below.watch(state => {
        if (isFirst || !this.isDeaf) show(sink, state)
        isFirst = false
      })
      const reread = (): void => show(sink, below.peek())
      this.#reread.add(reread)
      return () => {
        this.#reread.delete(reread)
        unwatch()
      }
    })
  }
}

function show<T>(sink: Sink<T>, state: State<T>): void {
  if (state.kind === 'ok') sink.set(state.value)
}
