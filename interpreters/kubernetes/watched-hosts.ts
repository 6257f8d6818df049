// The host names that one name's endpoints hang on, each watched while it is needed. Literal addresses need no watch.
import { isIP } from 'node:net'
import type { HostAddresses, HostCells } from '../../runtime/hosts/host-cells.ts'
import type { Observation } from '../../watch/cell.ts'
import { pending, type State } from '../../watch/state.ts'

interface WatchedHost {
  state: State<HostAddresses>
  readonly observation: Observation
}

/** Whoever made it closes it. */
export class WatchedHosts {
  readonly #hosts: Pick<HostCells, 'live'>
  readonly #onChange: () => void
  readonly #watched = new Map<string, WatchedHost>()
  #isKeeping = false

  /** `onChange` is not called from within `keep`. */
  constructor(hosts: Pick<HostCells, 'live'>, onChange: () => void) {
    this.#hosts = hosts
    this.#onChange = onChange
  }

  /** Watches these hosts and no other. */
  keep(hosts: Iterable<string>): void {
    const wanted = new Set<string>()
    for (const host of hosts) if (isIP(host) === 0) wanted.add(host)
    this.#isKeeping = true
    for (const host of wanted) if (!this.#watched.has(host)) this.#watch(host)
    this.#isKeeping = false
    for (const [host, { observation }] of this.#watched) {
      if (wanted.has(host)) continue
      this.#watched.delete(host)
      observation.end()
    }
  }

  /** None while they are not known. */
  readonly addressesOf = (host: string): readonly string[] => {
    if (isIP(host) !== 0) return [host]
    const state = this.#watched.get(host)?.state
    return state?.kind === 'ok' && state.value !== 'unknown' ? state.value : []
  }

  /** Whether each host has been answered or has failed. */
  get areAnswered(): boolean {
    for (const { state } of this.#watched.values()) if (state.kind === 'pending') return false
    return true
  }

  /** Why a host's addresses are old or not known. */
  get failure(): Error | undefined {
    for (const { state } of this.#watched.values()) {
      if (state.kind === 'failed') return state.error
      if (state.kind === 'ok' && state.stale !== undefined) return state.stale.reason
    }
    return undefined
  }

  close(): void {
    this.keep([])
  }

  #watch(host: string): void {
    let state: State<HostAddresses> = pending
    const observation = this.#hosts.live(host).observe({
      isRelay: true,
      deliver: told => {
        state = told
        const watched = this.#watched.get(host)
        if (watched !== undefined) watched.state = told
        if (!this.#isKeeping) this.#onChange()
      },
    })
    this.#watched.set(host, { state, observation })
  }
}
