// Other servers with proxies, in a test's hand: what they have, and whether they answer.
import type { AppliedListener, ProxiesApplied, ProxiesPart, ProxySource } from '../../api/proxies.ts'

/** A server says nothing before a test tells what it has. */
export class FakePeer implements ProxySource {
  /** What it answers; it never does while there is none. */
  part: ProxiesPart | Error | undefined
  readonly listeners = new Set<AppliedListener>()
  #counts: ProxiesApplied | undefined

  page(_query: unknown, signal: AbortSignal): Promise<ProxiesPart> {
    if (this.part instanceof Error) return Promise.reject(this.part)
    if (this.part !== undefined) return Promise.resolve(this.part)
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')), { once: true })
    })
  }

  followApplied(_wanted: unknown, listener: AppliedListener): () => void {
    this.listeners.add(listener)
    if (this.#counts !== undefined) listener.heard(this.#counts)
    return () => this.listeners.delete(listener)
  }

  /** Says how many of its proxies have what anyone waits for. */
  count(applied: number, total: number): void {
    this.#counts = { applied, total }
    for (const listener of [...this.listeners]) listener.heard(this.#counts)
  }

  /** Ends every stream. */
  lose(reason: string): void {
    for (const listener of [...this.listeners]) listener.lost(reason)
    this.listeners.clear()
  }
}

export class FakePeers {
  readonly #peers = new Map<string, FakePeer>()

  /** The server called so; the same each time. */
  at(id: string): FakePeer {
    const made = this.#peers.get(id) ?? new FakePeer()
    this.#peers.set(id, made)
    return made
  }

  readonly of = (id: string): ProxySource => this.at(id)
}
