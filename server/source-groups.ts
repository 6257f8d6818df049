// The kernel's open sources by the backend that they belong to.
import { type Kernel, relayGroup, type SourceReport } from '../watch/cell.ts'

/** The backend's group; a source that names none is its own. */
export function groupOf({ name, group = name }: { readonly name: string; readonly group?: string }): string {
  return group
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

/** The error that most of them have, the first of these when there are several. */
export function commonestError(errors: Iterable<string>): string | undefined {
  const counts = new Map<string, number>()
  for (const error of errors) counts.set(error, (counts.get(error) ?? 0) + 1)
  let commonest: string | undefined
  let most = 0
  for (const [error, count] of counts) {
    if (count <= most) continue
    commonest = error
    most = count
  }
  return commonest
}
