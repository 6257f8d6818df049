// The clients of a router, one per bound id and shared by all names that lead there. An unused one stays for a while,
// so that traffic which moves back finds its connections open.
import { type Path, showPath } from '../../naming/path.ts'
import type { Clock } from '../../watch/clock.ts'
import { type CacheCounts, IdleCache } from '../cache/idle-cache.ts'
import type { NameResolver } from '../naming.ts'
import { BoundClient, type ClientParts } from './bound-client.ts'

export interface ClientCacheOptions {
  readonly resolver: NameResolver
  readonly clock: Clock
  /** Unused clients kept at most. */
  readonly max: number
  readonly idleMs: number
  readonly create: (id: Path, idText: string) => ClientParts
  /** Told of an id that is not kept any more. */
  readonly onRelease: (idText: string) => void
}

export class ClientCache {
  readonly #options: ClientCacheOptions
  readonly #clients: IdleCache<BoundClient>

  constructor(options: ClientCacheOptions) {
    this.#options = options
    this.#clients = new IdleCache({
      clock: options.clock,
      max: options.max,
      idleMs: options.idleMs,
      isInUse: client => client.users > 0 || client.isAwaited,
      dispose: client => {
        client.close()
        options.onRelease(client.idText)
      },
    })
  }

  get size(): number {
    return this.#clients.size
  }

  values(): Iterable<BoundClient> {
    return this.#clients.values()
  }

  get counts(): CacheCounts {
    return this.#clients.counts
  }

  /** The client of an id's text, for those who only look. */
  peek(idText: string): BoundClient | undefined {
    return this.#clients.peek(idText)
  }

  /** The client of an id, held until it is given back by `release`. */
  acquire(id: Path): BoundClient {
    const key = showPath(id)
    const client = this.#clients.get(key) ?? this.#clients.force(key, () => this.#create(id, key))
    client.users++
    return client
  }

  release(client: BoundClient): void {
    client.users--
    // Its idle time counts from here.
    this.#clients.get(client.idText)
  }

  close(): void {
    this.#clients.close()
  }

  #create(id: Path, idText: string): BoundClient {
    const { resolver, clock, create } = this.#options
    return new BoundClient({ id, replicas: resolver.replicas(id), clock, ...create(id, idText) })
  }
}
