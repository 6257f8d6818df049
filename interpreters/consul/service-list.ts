// The services of one datacenter, followed once for all who want to know, and only while somebody does. Lists names and
// tags, never instances.
import type { ConsulAgent, ConsulQuery } from '../../clients/consul/agent.ts'
import { asObject, stringsOf } from './json-fields.ts'
import { type Listener, Relay } from './relay.ts'

export interface ListedService {
  readonly name: string
  readonly tags: readonly string[]
}

/** By the name in lower case. */
export type Services = ReadonlyMap<string, ListedService>

/** Leaves; harmless when called twice. */
export type Leave = () => void

export class ServiceLists {
  readonly #agent: ConsulAgent
  readonly #queryOf: (datacenter: string) => ConsulQuery
  readonly #open = new Map<string, { readonly relay: Relay<Services>; readonly stop: () => void }>()

  /** `queryOf` makes the question for one datacenter. */
  constructor(agent: ConsulAgent, queryOf: (datacenter: string) => ConsulQuery) {
    this.#agent = agent
    this.#queryOf = queryOf
  }

  /** Tells the list of a datacenter, now and whenever it changes. */
  join(datacenter: string, listener: Listener<Services>): Leave {
    const open = this.#open.get(datacenter) ?? this.#follow(datacenter)
    open.relay.add(listener)
    return () => {
      if (!open.relay.remove(listener) || this.#open.get(datacenter) !== open) return
      this.#open.delete(datacenter)
      open.stop()
    }
  }

  close(): void {
    for (const { stop } of this.#open.values()) stop()
    this.#open.clear()
  }

  #follow(datacenter: string): { readonly relay: Relay<Services>; readonly stop: () => void } {
    const relay = new Relay<Services>()
    const stop = this.#agent.follow(this.#queryOf(datacenter), {
      changed: ({ body, version, receivedAt }) => relay.changed(decodeServices(body), { version, receivedAt }),
      same: version => relay.same(version),
      failed: (error, retryAt) => relay.failed(error, retryAt),
    })
    const open = { relay, stop }
    this.#open.set(datacenter, open)
    return open
  }
}

/** `/v1/catalog/services`: name to tags. Throws on another shape. */
function decodeServices(body: unknown): Services {
  const services = new Map<string, ListedService>()
  for (const [name, tags] of Object.entries(asObject(body)))
    services.set(name.toLowerCase(), { name, tags: stringsOf(tags ?? [], name) })
  return services
}
