import { describe, expect, it } from 'vitest'
import { KubernetesStatusError } from '../../../clients/kubernetes/cluster.ts'
import { headName, versionName } from '../../../storage/configmap/object-names.ts'
import { realVersions } from '../../../storage/configmap/real-versions.ts'
import { storeError } from '../../../storage/configmap/store-error.ts'

const link = (version: number, parent: number) => ({ version, meta: { parent } })

describe('names of ConfigMaps', () => {
  it.each(['default', 'Default', 'a.b', 'a-b', 'A_b', `x${'.'.repeat(252)}`, `${'Long.'.repeat(50)}x`])(
    'of %s are names that Kubernetes takes',
    namespace => {
      expect(versionName(namespace, 1)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
      expect(versionName(namespace, Number.MAX_SAFE_INTEGER).length).toBeLessThanOrEqual(253)
    },
  )

  it('are as the README says, and differ where namespaces differ', () => {
    expect(headName('default')).toBe('nameplane-default-37a8eec1ce19687d132f')
    const alike = ['a.b', 'a-b', 'a_b', 'A.b']
    expect(new Set(alike.map(headName)).size).toBe(alike.length)
  })
})

describe('the chain of parents', () => {
  it('leaves out what was passed over, above the head and below', () => {
    const links = [link(8, 7), link(1, 0), link(2, 1), link(3, 1), link(5, 3), link(4, 3), link(7, 5), link(6, 5)]
    expect(realVersions(links, { version: 7 }).map(({ version }) => version)).toEqual([7, 5, 3, 1])
  })

  it('goes on below versions that were dropped', () => {
    const links = [link(2, 1), link(6, 5), link(9, 8)]
    expect(realVersions(links, { version: 9 }).map(({ version }) => version)).toEqual([9, 6, 2])
  })
})

describe('a refusal of the API server', () => {
  it.each([
    [403, 'configmaps is forbidden: User "x" cannot create resource', 'store-unavailable'],
    [403, 'configmaps "x" is forbidden: exceeded quota: few', 'store-full'],
    [500, 'etcdserver: mvcc: database space exceeded', 'store-full'],
    [413, 'Request entity too large: limit is 3145728', 'dtab-too-large'],
    [422, 'ConfigMap "x" is invalid: []: Too long: may not be more than 1048576 bytes', 'dtab-too-large'],
    [422, 'ConfigMap "x" is invalid: data: Forbidden: field is immutable', 'store-corrupt'],
    [429, 'too many requests', 'store-unavailable'],
  ])('of %i, %s, is %s', (status, message, code) => {
    const error = storeError(new KubernetesStatusError(message, status))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
  })
})
