// The names that Consul lists in the agent's own datacenter, as one cell, followed only while somebody watches.
import type { ConsulSelf } from '../../clients/consul/agent.ts'
import type { Path } from '../../naming/path.ts'
import { pathEquals } from '../../naming/path.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { labelOfText } from './consul-name.ts'
import type { ServiceLists, Services } from './service-list.ts'

export interface ListedNamesOptions {
  readonly kernel: Kernel
  readonly prefix: Path
  readonly group: string
  /** Each name is listed once per tag, and those without a tag are not. */
  readonly hasTag: boolean
  readonly lists: ServiceLists
  readonly self: Cell<ConsulSelf>
}

const lingerMs = 10_000

/** Sorted. The datacenter stands by its name, never as `.local`. */
export function observeListedNames({
  kernel,
  prefix,
  group,
  hasTag,
  lists,
  self,
}: ListedNamesOptions): Cell<readonly Path[]> {
  const pathsOf = (datacenter: string, services: Services): readonly Path[] => {
    const base = [...prefix, labelOfText(datacenter)]
    const listed = [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return listed.flatMap(({ name, tags }): readonly Path[] => {
      const service = labelOfText(name)
      if (!hasTag) return [[...base, service]]
      return [...tags].sort().map(tag => [...base, labelOfText(tag), service])
    })
  }
  const datacenters = kernel.pool<string, readonly Path[]>(
    datacenter =>
      kernel.source(
        `consul names ${datacenter}`,
        sink =>
          lists.join(datacenter, {
            changed: (services, facts) => sink.set(pathsOf(datacenter, services), facts?.version),
            same: version => sink.contact(version),
            failed: (error, retryAt) => sink.fail(error, retryAt),
          }),
        { lingerMs, group, equals: samePaths },
      ),
    datacenter => datacenter,
  )
  return kernel.derive(`consul names ${group}`, read => {
    const state = read(self)
    return state.kind === 'ok' ? read(datacenters.at(state.value.datacenter)) : state
  })
}

function samePaths(a: readonly Path[], b: readonly Path[]): boolean {
  return a.length === b.length && a.every((path, i) => pathEquals(path, b[i] ?? []))
}
