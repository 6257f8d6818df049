// Moments of a cluster's history, compared. Pure.
import type { EtcdMoment } from './cluster.ts'

/** Whether a cluster that was at `known` can only be at `at` by having gone back, or by being another one. */
export function isBefore(at: EtcdMoment, known: EtcdMoment): boolean {
  return at.clusterId !== known.clusterId || at.revision < known.revision || at.term < known.term
}

/** The newest that is known from both, which are of one cluster. */
export function laterOf(a: EtcdMoment, b: EtcdMoment): EtcdMoment {
  return { ...a, revision: Math.max(a.revision, b.revision), term: Math.max(a.term, b.term) }
}
