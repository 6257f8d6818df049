import { describe, expect, it } from 'vitest'
import { type Endpoint, noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import { replicaSetEquals } from '../../naming/replica-set-equals.ts'

const endpoint: Endpoint = { address: '10.0.0.1', port: 80, weight: 1, metadata: { zone: 'a', node: 'n1' } }
const other: Endpoint = { address: '10.0.0.2', port: 80, weight: 1 }

function bound(...endpoints: Endpoint[]): ReplicaSet {
  return { kind: 'bound', endpoints, metadata: { authority: 'web' } }
}

describe('two replica sets', () => {
  it.each<[string, ReplicaSet, ReplicaSet]>([
    ['of copies of the same endpoints', bound(endpoint, other), bound({ ...endpoint }, { ...other })],
    [
      'whose metadata is written in another order',
      bound(endpoint),
      bound({ ...endpoint, metadata: { node: 'n1', zone: 'a' } }),
    ],
    ['of which one has no metadata and one has empty metadata', bound(other), bound({ ...other, metadata: {} })],
    ['that are neg', noSuchReplicas, { kind: 'neg' }],
    ['without endpoints', bound(), bound()],
  ])('%s are equal', (_what, a, b) => {
    expect([replicaSetEquals(a, b), replicaSetEquals(b, a)]).toEqual([true, true])
  })

  it.each<[string, ReplicaSet, ReplicaSet]>([
    ['of which one is neg', bound(), noSuchReplicas],
    ['of which one has more', bound(other), bound(other, endpoint)],
    ['in another order', bound(other, endpoint), bound(endpoint, other)],
    ['with another address', bound(other), bound({ ...other, address: '10.0.0.3' })],
    ['with another port', bound(other), bound({ ...other, port: 81 })],
    ['with another weight', bound(other), bound({ ...other, weight: 2 })],
    [
      'with another value in the metadata',
      bound(endpoint),
      bound({ ...endpoint, metadata: { zone: 'b', node: 'n1' } }),
    ],
    ['with another key in the metadata', bound(endpoint), bound({ ...endpoint, metadata: { zone: 'a', host: 'n1' } })],
    ['with more metadata', bound(endpoint), bound({ ...endpoint, metadata: { zone: 'a' } })],
    ['with other metadata of the whole', bound(other), { kind: 'bound', endpoints: [other] }],
  ])('%s differ', (_what, a, b) => {
    expect([replicaSetEquals(a, b), replicaSetEquals(b, a)]).toEqual([false, false])
  })
})
