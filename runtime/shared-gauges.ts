// Gauges that several open things of a kind share: each joins, and a scrape asks all that are there now.
import type { Metrics } from './metrics.ts'

/**
 * Gives the function by which a member joins the gauges of a registry; what that returns takes it away again, harmless when
 * called twice. `register` makes the gauges at the first member of each registry; they read `members` when they are scraped.
 */
export function sharedGauges<M>(
  register: (metrics: Metrics, members: ReadonlySet<M>) => void,
): (metrics: Metrics, member: M) => () => void {
  const joined = new WeakMap<Metrics, Set<M>>()
  return (metrics, member) => {
    const known = joined.get(metrics)
    const members = known ?? new Set()
    if (known === undefined) {
      joined.set(metrics, members)
      register(metrics, members)
    }
    members.add(member)
    return () => members.delete(member)
  }
}
