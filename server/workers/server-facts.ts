// What threads are told of the whole server now and then: at its end, and at theirs. Knows no thread.
import type { Servers } from '../../api/servers.ts'
import type { ServerFacts } from './thread-data.ts'

/** The facts as of now. */
export function factsOfServer(servers: Pick<Servers, 'streams' | 'told' | 'disagreements'>): ServerFacts {
  const state = servers.disagreements().peek()
  const differing = state.kind === 'ok' ? state.value : []
  const newest = differing.map(({ namespace, versions }) => ({ namespace, version: Math.max(...versions.values()) }))
  return {
    streams: servers.streams(),
    ahead: newest.filter(({ namespace, version }) => version > servers.told.of(namespace)),
  }
}

/** The newest of them, in a thread. */
export class ServerFactsMirror {
  #facts: ServerFacts = { streams: undefined, ahead: [] }
  #ahead: ReadonlyMap<string, number> = new Map()

  get streams(): number | undefined {
    return this.#facts.streams
  }

  /** The version that another server goes by where this one is behind, 0 where it is not. */
  ahead(namespace: string): number {
    return this.#ahead.get(namespace) ?? 0
  }

  take(facts: ServerFacts): void {
    this.#facts = facts
    this.#ahead = new Map(facts.ahead.map(({ namespace, version }) => [namespace, version]))
  }
}
