// The bindings of a router: one per name and local dtab, watched while they are used and for a while after.
import type { Path } from '../../naming/path.ts'
import type { Clock } from '../../watch/clock.ts'
import { type CacheCounts, IdleCache } from '../cache/idle-cache.ts'
import type { ClientCache } from '../client/client-cache.ts'
import type { NameResolver } from '../naming.ts'
import type { ServiceTable } from '../service/service-table.ts'
import { Binding } from './binding.ts'

/** A name and its text. */
export interface Named {
  readonly path: Path
  readonly text: string
}

export interface BindingCacheOptions {
  readonly namespace: string
  readonly resolver: NameResolver
  readonly services: ServiceTable
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
      dispose: binding => {
        binding.close()
        options.services.release(binding.service)
      },
    })
  }

  get size(): number {
    return this.#bindings.size
  }

  values(): Iterable<Binding> {
    return this.#bindings.values()
  }

  get counts(): CacheCounts {
    return this.#bindings.counts
  }

  /** The binding of a name; undefined when as many names as the cap are being bound just now. */
  at(name: Named, dtab: string): Binding | undefined {
    const key = dtab === '' ? name.text : `${name.text} ${dtab}`
    return this.#bindings.get(key) ?? this.#bindings.add(key, () => this.#create(name, dtab))
  }

  close(): void {
    this.#bindings.close()
  }

  #create({ path, text }: Named, dtab: string): Binding {
    const { namespace, resolver, services, clients, clock } = this.#options
    const tree = resolver.bind({ namespace, path, ...(dtab !== '' && { dtab }) })
    return new Binding({ service: services.acquire(path, text), dtab, tree, clients, clock })
  }
}
