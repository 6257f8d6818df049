// Writes that were cut off between their two steps, and rights that are missing, on a real API server.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { headName } from '../../../storage/configmap/object-names.ts'
import { decodeObject } from '../../../storage/configmap/stored-object.ts'
import { encodeVersion } from '../../../storage/configmap/version-object.ts'
import type { Store } from '../../../storage/store.ts'
import { versionOf } from '../../contract/shared-backend.contract.ts'
import { request } from '../../contract/store.contract.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { corePath, namespaceObject, namespacesPath } from '../kubernetes-objects.fixture.ts'
import { grantRole } from './configmap-role.fixture.ts'
import { freshPlace, startStore } from './configmap-store.fixture.ts'

let kubernetes: RealKubernetes
let kubeconfig: string

beforeAll(async () => {
  kubernetes = await RealKubernetes.start()
  kubeconfig = await kubernetes.namerKubeconfig()
})

afterAll(() => kubernetes[Symbol.asyncDispose]())

const idempotency = { key: 'k', fingerprint: 'f' }

/** Leaves what a server leaves that dies once it has made version 2, and before it has moved the head. */
async function cutOff(place: string): Promise<void> {
  const path = corePath(place, 'configmaps')
  const head = decodeObject(await kubernetes.api.get(`${path}/${headName('web')}`))
  const version = versionOf('web', 2, '/never => /was', { idempotencyKey: idempotency.key })
  await kubernetes.api.create(path, encodeVersion(version, { over: head.resourceVersion, fingerprint: 'f' }))
}

async function numbers(store: Store): Promise<readonly number[]> {
  return (await store.history('web', { limit: 10 })).map(({ version }) => version)
}

describe.concurrent('a write that was cut off between its two steps', () => {
  it('shows nowhere, and its number is used by nobody', async () => {
    const place = await freshPlace(kubernetes)
    await using one = startStore(kubeconfig, place)
    await using two = startStore(kubeconfig, place)
    await one.store.write(request('web', '/svc => /a'))
    await cutOff(place)
    for (const { store } of [one, two]) {
      expect(await store.head('web')).toMatchObject({ version: 1, text: '/svc => /a' })
      expect(await store.version('web', 2)).toBeUndefined()
      expect(await store.recall('web', idempotency)).toBeUndefined()
      expect(await numbers(store)).toEqual([1])
    }
    expect((await two.store.write(request('web', '/svc => /b'))).written.version).toBe(3)
    for (const { store } of [one, two]) {
      expect(await store.version('web', 2)).toBeUndefined()
      expect(await store.recall('web', idempotency)).toBeUndefined()
      expect(await numbers(store)).toEqual([3, 1])
    }
  })

  it('is made anew, once, by servers that are asked with its key at the same time', async () => {
    const place = await freshPlace(kubernetes)
    await using one = startStore(kubeconfig, place)
    await using two = startStore(kubeconfig, place)
    await using three = startStore(kubeconfig, place)
    await one.store.write(request('web', '/svc => /a'))
    await cutOff(place)
    const stores = [one, two, three].map(({ store }) => store)
    const answers = await Promise.all(
      stores.map(store => store.write(request('web', '/once => /more', { idempotency }))),
    )
    expect(new Set(answers.map(({ written }) => written.version)).size).toBe(1)
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(await numbers(one.store)).toHaveLength(2)
  })

  it('is gone with the versions around it', async () => {
    const place = await freshPlace(kubernetes)
    await using open = startStore(kubeconfig, place)
    const { store } = open
    await store.write(request('web', '/svc => /a'))
    await cutOff(place)
    for (const text of ['/svc => /b', '/svc => /c']) await store.write(request('web', text))
    await store.forget('web', [3])
    expect(await numbers(store)).toEqual([4, 1])
    expect(await store.version('web', 2)).toBeUndefined()
  })
})

describe('a store without its rights', () => {
  it('says which is missing, and works once they are granted', async () => {
    const place = 'no-rights'
    await kubernetes.api.create(namespacesPath, namespaceObject(place))
    await using open = startStore(kubeconfig, place)
    await expect(open.store.head('web')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/User "namer" cannot get resource "configmaps".*grant get, list and watch/),
    })
    await grantRole(kubernetes.api, place)
    await vi.waitFor(() => open.store.write(request('web', '/svc => /a')), { timeout: 10_000 })
    expect(await open.store.head('web')).toMatchObject({ version: 1 })
  })
})
