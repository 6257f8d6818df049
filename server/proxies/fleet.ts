// The proxies of all servers as one fleet: each server is asked for its own, and who does not answer in time is named. Knows
// no transport.
import type {
  Proxies,
  ProxiesPage,
  ProxiesPart,
  ProxiesQuery,
  ProxiesReport,
  ProxiesWait,
  ProxySource,
  SilentServer,
} from '../../api/proxies.ts'
import type { ServerState, Servers } from '../../api/servers.ts'
import type { Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import { waitForProxies } from './applied-wait.ts'
import { inTime } from './in-time.ts'
import { mergeParts } from './merge-parts.ts'

export interface FleetOptions {
  readonly clock: Clock
  /** The proxies of this server. */
  readonly own: ProxySource
  readonly servers: Pick<Servers, 'list' | 'newest'>
  /** Those of another server, at `host:port`; opens nothing by itself. */
  readonly peer: (id: string, address: string) => ProxySource
}

/** How long another server may take for a page. */
const answerMs = 2_000

/** Opens nothing before it is asked, and holds nothing afterwards. */
export class Fleet implements Proxies {
  readonly #options: FleetOptions

  constructor(options: FleetOptions) {
    this.#options = options
  }

  async list(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPage> {
    const answers = await Promise.all(this.#states().map(state => this.#ask(state, query, signal)))
    const parts = answers.flatMap(answer => ('part' in answer ? [answer.part] : []))
    const silent = answers.flatMap(answer => ('silent' in answer ? [answer.silent] : []))
    return { ...this.#toldNewest(mergeParts(parts, query.limit)), silent }
  }

  whenApplied(wanted: ProxiesWait): Promise<ProxiesReport> {
    const { clock, servers } = this.#options
    return waitForProxies(wanted, {
      clock,
      servers: servers.list(),
      states: () => this.#states(),
      isEveryoneKnown: () => isFresh(this.#options.servers.list().peek()),
      sourceOf: state => this.#sourceOf(state),
    })
  }

  #states(): readonly ServerState[] {
    const state = this.#options.servers.list().peek()
    return state.kind === 'ok' ? state.value : []
  }

  /** Why not, as a text, where it cannot be asked. */
  #sourceOf({ id, isSelf, address, replies, error }: ServerState): ProxySource | string {
    if (isSelf) return this.#options.own
    if (!replies || address === undefined) return error ?? 'it cannot be asked'
    return this.#options.peer(id, address)
  }

  async #ask(
    state: ServerState,
    query: ProxiesQuery,
    signal: AbortSignal,
  ): Promise<{ readonly part: ProxiesPart } | { readonly silent: SilentServer }> {
    const source = this.#sourceOf(state)
    if (typeof source === 'string') return { silent: { id: state.id, error: source } }
    try {
      const limits = { clock: this.#options.clock, limitMs: answerMs, signal }
      return { part: await inTime(limits, until => source.page(query, until)) }
    } catch (error) {
      return { silent: { id: state.id, error: error instanceof Error ? error.message : String(error) } }
    }
  }

  /** What this server knows of newer versions, a server that lags behind may not. */
  #toldNewest(part: ProxiesPart): ProxiesPart {
    const newest = new Map<string, number>()
    const newestOf = (namespace: string): number => {
      const version = newest.get(namespace) ?? this.#options.servers.newest(namespace)
      newest.set(namespace, version)
      return version
    }
    const proxies = part.proxies.map(proxy => ({
      ...proxy,
      namespaces: proxy.namespaces.map(told => ({ ...told, newest: Math.max(told.newest, newestOf(told.namespace)) })),
    }))
    return { ...part, proxies }
  }
}

function isFresh(state: State<unknown>): boolean {
  return state.kind === 'ok' && state.stale === undefined
}
