// Whether two replica sets say the same. Made for large sets that are mostly equal: no text is built.
import type { Endpoint, Metadata, ReplicaSet } from './replica-set.ts'

/** The same endpoints in the same order, with the same weights and metadata. */
export function replicaSetEquals(a: ReplicaSet, b: ReplicaSet): boolean {
  if (a === b) return true
  if (a.kind === 'neg' || b.kind === 'neg') return a.kind === b.kind
  if (a.endpoints.length !== b.endpoints.length || !metadataEquals(a.metadata, b.metadata)) return false
  for (let i = 0; i < a.endpoints.length; i++) {
    const [one, other] = [a.endpoints[i], b.endpoints[i]]
    if (one === undefined || other === undefined || !endpointEquals(one, other)) return false
  }
  return true
}

function endpointEquals(a: Endpoint, b: Endpoint): boolean {
  if (a === b) return true
  if (a.address !== b.address || a.port !== b.port || a.weight !== b.weight) return false
  return metadataEquals(a.metadata, b.metadata)
}

/** None is as good as an empty one: neither says anything. */
function metadataEquals(a: Metadata = none, b: Metadata = none): boolean {
  if (a === b) return true
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every(key => Object.hasOwn(b, key) && a[key] === b[key])
}

const none: Metadata = {}
