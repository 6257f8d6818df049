// Which version of each namespace the server goes by, as a thread has been told. Opens nothing.
import type { ToldVersions } from '../../api/servers.ts'
import type { Unwatch } from '../../watch/cell.ts'
import type { SentVersions } from './port-messages.ts'

export class ToldMirror implements ToldVersions {
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

  watch(changed: (namespaces: Iterable<string>) => void): Unwatch {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  take({ isWhole, dtabs }: SentVersions): void {
    this.#isWhole ||= isWhole
    for (const [namespace, version] of dtabs) {
      if (version === 0) this.#versions.delete(namespace)
      else this.#versions.set(namespace, version)
    }
    const changed = dtabs.map(([namespace]) => namespace)
    for (const watcher of [...this.#watchers]) watcher(changed)
  }
}
