// Every pool of a router that is open or still finishing, so that closing the proxy leaves none behind.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Upstream, UpstreamFactory } from './upstream.ts'

export class UpstreamSet {
  readonly #onError: (error: unknown) => void
  readonly #open = new Set<Upstream>()

  /** `onError` is told of a pool that could not be closed. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  get size(): number {
    return this.#open.size
  }

  open(create: UpstreamFactory, endpoint: Endpoint): Upstream {
    const upstream = create(endpoint)
    this.#open.add(upstream)
    return upstream
  }

  /** Requests in progress end first; nobody waits for them here. */
  readonly close = (upstream: Upstream): void => {
    upstream
      .close()
      .catch(this.#onError)
      .finally(() => this.#open.delete(upstream))
  }

  /** Cuts all that is left. */
  async destroy(): Promise<void> {
    const reason = new Error('the proxy is stopping')
    await Promise.all(Array.from(this.#open, upstream => upstream.destroy(reason)))
    this.#open.clear()
  }
}
