// The bindings of a router: one per name and local dtab, watched while they are used and for a while after.
import { type Path, showPath } from '../../naming/path.ts'
import type { Clock } from '../../watch/clock.ts'
import { IdleCache } from '../cache/idle-cache.ts'
import type { ClientCache } from '../client/client-cache.ts'
import type { NameResolver } from '../naming.ts'
import { Binding } from './binding.ts'

export interface BindingCacheOptions {
  readonly namespace: string
  readonly resolver: NameResolver
  readonly clients: ClientCache
  readonly clock: Clock
  readonly max: number
  readonly idleMs: number
}

export class BindingCache {
  readonly #options: BindingCacheOptions
  readonly #bindings: IdleCache<Binding>

  constructor(options: BindingCacheOptions) {
    this.#options = options
    this.#bindings = new IdleCache({
      clock: options.clock,
      max: options.max,
      idleMs: options.idleMs,
      isInUse: binding => binding.isAwaited,
      dispose: binding => binding.close(),
    })
  }

  get size(): number {
    return this.#bindings.size
  }

  values(): Iterable<Binding> {
    return this.#bindings.values()
  }

  /** Bindings dropped for room, and for idleness. */
  get dropped(): { readonly evicted: number; readonly expired: number } {
    return { evicted: this.#bindings.evicted, expired: this.#bindings.expired }
  }

  /** The binding of a name; undefined when as many names as the cap are being bound just now. */
  at(path: Path, dtab: string): Binding | undefined {
    const key = dtab === '' ? showPath(path) : `${showPath(path)} ${dtab}`
    return this.#bindings.get(key) ?? this.#bindings.add(key, () => this.#create(path, dtab))
  }

  close(): void {
    this.#bindings.close()
  }

  #create(path: Path, dtab: string): Binding {
    const { namespace, resolver, clients, clock } = this.#options
    const tree = resolver.bind({ namespace, path, ...(dtab !== '' && { dtab }) })
    return new Binding({ path, dtab, tree, clients, clock })
  }
}
