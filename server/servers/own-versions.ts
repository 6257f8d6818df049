// Which version of each namespace this server goes by: that of the compiled rules where they are in use, else that of the
// store's listing. Opens nothing; it is told.
import type { ToldVersions } from '../../api/servers.ts'
import type { NamespaceSummary } from '../../storage/store.ts'
import type { Unwatch } from '../../watch/cell.ts'

/** Whoever makes it passes on what the store and the interpreter say. */
export class OwnVersions implements ToldVersions {
  #listing: readonly NamespaceSummary[] = []
  readonly #listed = new Map<string, number>()
  readonly #inUse = new Map<string, number>()
  /** What is gone by: of those in use the one, of the rest the other. */
  readonly #versions = new Map<string, number>()
  readonly #watchers = new Set<(changed: Iterable<string>) => void>()
  #isWhole = false

  isWhole(): boolean {
    return this.#isWhole
  }

  of(namespace: string): number {
    return this.#versions.get(namespace) ?? 0
  }

  namespaces(): Iterable<string> {
    return this.#versions.keys()
  }

  /** All of them; it changes as they do. */
  get versions(): ReadonlyMap<string, number> {
    return this.#versions
  }

  /** At most so many, those in use first. */
  *first(limit: number): Iterable<readonly [namespace: string, version: number]> {
    let left = limit
    for (const [namespace, version] of this.#inUse) {
      if (version === 0) continue
      if (left-- <= 0) return
      yield [namespace, version]
    }
    for (const [namespace, version] of this.#versions) {
      if (this.#inUse.has(namespace)) continue
      if (left-- <= 0) return
      yield [namespace, version]
    }
  }

  /** Who watches, for leak tests. */
  get watching(): number {
    return this.#watchers.size
  }

  watch(changed: (namespaces: Iterable<string>) => void): Unwatch {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /** The store's listing has changed. */
  takeListing(summaries: readonly NamespaceSummary[]): void {
    const changed: string[] = []
    for (const [namespace, version] of this.#moved(summaries)) {
      this.#listed.set(namespace, version)
      if (this.#update(namespace)) changed.push(namespace)
    }
    for (const namespace of this.#unlisted(summaries)) {
      this.#listed.delete(namespace)
      if (this.#update(namespace)) changed.push(namespace)
    }
    const isNews = changed.length > 0 || !this.#isWhole
    this.#isWhole = true
    if (isNews) this.#tell(changed)
  }

  /** Evaluation goes by this version now; undefined when it has let the namespace go. */
  readonly takeInUse = (namespace: string, version: number | undefined): void => {
    if (version === undefined) this.#inUse.delete(namespace)
    else this.#inUse.set(namespace, version)
    if (this.#update(namespace)) this.#tell([namespace])
  };

  /** Those with another version than before. Most of a listing is what it was, to the object: each write gives a new one. */
  *#moved(summaries: readonly NamespaceSummary[]): Iterable<readonly [namespace: string, version: number]> {
    const before = this.#listing
    this.#listing = summaries
    for (let at = 0; at < summaries.length; at++) {
      const summary = summaries[at]
      if (summary === undefined || summary === before[at]) continue
      const { namespace, version } = summary
      if (this.#listed.get(namespace) !== version) yield [namespace, version]
    }
  }

  /** Those that have left the listing; it is only searched when there are some. */
  #unlisted(summaries: readonly NamespaceSummary[]): readonly string[] {
    if (this.#listed.size === summaries.length) return []
    const present = new Set(summaries.map(({ namespace }) => namespace))
    return [...this.#listed.keys()].filter(namespace => !present.has(namespace))
  }

  /** Whether it goes by something else now. */
  #update(namespace: string): boolean {
    const version = this.#inUse.get(namespace) ?? this.#listed.get(namespace) ?? 0
    if (version === this.of(namespace)) return false
    if (version === 0) this.#versions.delete(namespace)
    else this.#versions.set(namespace, version)
    return true
  }

  #tell(changed: readonly string[]): void {
    for (const watcher of [...this.#watchers]) watcher(changed)
  }
}
