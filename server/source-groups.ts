// The kernel's open sources by the backend that they belong to.
import { type Kernel, relayGroup, type SourceReport } from '../watch/cell.ts'

/** The backend's group; a source that names none is its own. */
export function groupOf({ name, group = name }: { readonly name: string; readonly group?: string }): string {
  return group
}

/** How an operator names the backend: a namer's prefix without `/#/`. */
export function sourceId(group: string): string {
  return group.replace(/^\/#\//, '')
}

/** Groups in the order of their first source. Sources that only pass on others' states are left out: see relayGroup. */
export function reportsByGroup(kernel: Pick<Kernel, 'sources'>): ReadonlyMap<string, readonly SourceReport[]> {
  const groups = new Map<string, SourceReport[]>()
  for (const report of kernel.sources()) {
    const group = groupOf(report)
    if (group === relayGroup) continue
    const known = groups.get(group)
    if (known === undefined) groups.set(group, [report])
    else known.push(report)
  }
  return groups
}

/** Distinct errors, the most frequent first and at most so many; of equally frequent ones the first. */
export function commonErrors(errors: Iterable<string>, most: number): readonly string[] {
  const counts = new Map<string, number>()
  for (const error of errors) counts.set(error, (counts.get(error) ?? 0) + 1)
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([error]) => error)
}
