// The proxies of this server, wherever they are connected: threads join and leave. Knows no transport.
import type { AppliedListener, ProxiesApplied, ProxiesPart, ProxiesQuery, ProxySource } from '../../api/proxies.ts'
import type { DtabVersion } from '../../api/servers.ts'
import type { Unwatch } from '../../watch/cell.ts'
import { mergeParts } from './merge-parts.ts'

export class JoinedProxies implements ProxySource {
  readonly #members = new Set<ProxySource>()
  readonly #follows = new Set<JoinedFollow>()

  /** Its proxies count until what this returns is called, harmless when called twice. */
  join(member: ProxySource): () => void {
    this.#members.add(member)
    for (const follow of this.#follows) follow.add(member)
    return () => {
      this.#members.delete(member)
      for (const follow of this.#follows) follow.remove(member)
    }
  }

  async page(query: ProxiesQuery, signal: AbortSignal): Promise<ProxiesPart> {
    const [only] = this.#members
    if (only !== undefined && this.#members.size === 1) return await only.page(query, signal)
    return mergeParts(await Promise.all([...this.#members].map(member => member.page(query, signal))), query.limit)
  }

  followApplied(wanted: DtabVersion, listener: AppliedListener): Unwatch {
    const follow = new JoinedFollow(wanted, listener)
    this.#follows.add(follow)
    for (const member of this.#members) follow.add(member)
    follow.begin()
    return () => {
      this.#follows.delete(follow)
      follow.end()
    }
  }
}

/** The sum of what all members say of one version, once each has said something. A member that is lost is asked no more. */
class JoinedFollow {
  readonly #wanted: DtabVersion
  readonly #listener: AppliedListener
  readonly #members = new Map<ProxySource, { counts?: ProxiesApplied; end: Unwatch }>()
  #hasBegun = false

  constructor(wanted: DtabVersion, listener: AppliedListener) {
    this.#wanted = wanted
    this.#listener = listener
  }

  begin(): void {
    this.#hasBegun = true
    this.#tell()
  }

  add(source: ProxySource): void {
    const member: { counts?: ProxiesApplied; end: Unwatch } = { end: () => {} }
    this.#members.set(source, member)
    member.end = source.followApplied(this.#wanted, {
      heard: counts => {
        member.counts = counts
        this.#tell()
      },
      lost: () => this.remove(source),
    })
  }

  remove(source: ProxySource): void {
    const member = this.#members.get(source)
    if (member === undefined) return
    this.#members.delete(source)
    member.end()
    this.#tell()
  }

  end(): void {
    for (const { end } of this.#members.values()) end()
    this.#members.clear()
    this.#hasBegun = false
  }

  #tell(): void {
    if (!this.#hasBegun) return
    let total = 0
    let applied = 0
    for (const { counts } of this.#members.values()) {
      if (counts === undefined) return
      total += counts.total
      applied += counts.applied
    }
    this.#listener.heard({ total, applied })
  }
}
