// An export goes through the real backends, one after the other, and is the same at the end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportVersions } from '../../../storage/export.ts'
import { importNamespace } from '../../../storage/import.ts'
import type { Store, Version } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { openMemoryFixture } from '../../storage/store.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import * as configMap from './configmap-store.fixture.ts'
import * as consul from './consul-store.fixture.ts'
import * as etcd from './etcd-store.fixture.ts'
import { untilTrue } from './store.fixture.ts'

let backends: AsyncDisposableStack
let stores: readonly (readonly [kind: string, store: Store])[]

beforeAll(async () => {
  backends = new AsyncDisposableStack()
  const [agent, server, cluster] = await Promise.all([RealConsul.start(), RealEtcd.start(), RealKubernetes.start()])
  for (const backend of [agent, server, cluster]) backends.use(backend)
  const place = await configMap.freshPlace(cluster)
  const opened = [
    await etcd.startStore({ endpoints: server.endpoints, pathPrefix: etcd.freshPrefix() }),
    await consul.startStore({ port: agent.port, pathPrefix: consul.freshPrefix() }),
    configMap.startStore(await cluster.namerKubeconfig(), place),
  ]
  for (const open of opened) backends.use(open)
  stores = opened.map(({ store }) => [store.kind, store])
}, 60_000)

afterAll(() => backends.disposeAsync())

async function everything(store: Store): Promise<Version[]> {
  const list = store.list()
  const unwatch = list.watch(() => {})
  const namespaces = () => {
    const state = list.peek()
    return state.kind === 'ok' ? state.value : []
  }
  await untilTrue('a listing of both', () => namespaces().length === 2)
  unwatch()
  const versions: Version[] = []
  for await (const version of exportVersions({ store, namespaces: namespaces(), hasHistory: true }))
    versions.push(version)
  return versions
}

async function* each(versions: readonly Version[]): AsyncGenerator<Version> {
  yield* versions
}

const take = (store: Store, namespace: string, versions: readonly Version[]) =>
  importNamespace(namespace, each(versions.filter(version => version.namespace === namespace)), {
    store,
    existing: 'refuse',
    isDryRun: false,
    by: { author: 'x', verified: false },
  })

describe('an export', () => {
  it('goes from etcd to Consul to Kubernetes and is the same at the end', { timeout: 60_000 }, async () => {
    const first = await openMemoryFixture()
    for (let i = 0; i < 25; i++)
      await first.store.write(request('Many.x', `/a => /b${i} # ü\n`, { address: '10.0.0.1' }))
    await first.store.forget('Many.x', [1, 2, 9])
    await first.store.write(request('old', '/x => /y', { author: 'ann', message: 'why' }))
    await first.store.write(request('old', undefined))
    const versions = await everything(first.store)
    expect(versions).toHaveLength(24)
    let from = first.store
    for (const [kind, store] of stores) {
      for (const namespace of ['Many.x', 'old'])
        expect(await take(store, namespace, await everything(from)), kind).toMatchObject({ outcome: 'imported' })
      expect(await everything(store), kind).toEqual(versions)
      expect(await take(store, 'Many.x', versions), kind).toMatchObject({ outcome: 'identical' })
      from = store
    }
    for (const [kind, store] of stores) {
      await store.forget('Many.x', [3, 4])
      expect((await store.write(request('old', '/x => /again'))).written.version, kind).toBe(3)
      expect(await take(store, 'Many.x', versions), kind).toMatchObject({ outcome: 'identical', version: 25 })
    }
    await first.close()
  })

  it('with a text that is too large for a store leaves nothing of its namespace there', {
    timeout: 60_000,
  }, async () => {
    const meta = { author: 'ann', verified: false, message: '', time: 1_700_000_000_000 }
    for (const [kind, store] of stores) {
      const text = (bytes: number): string => `/a => /b ;#${'x'.repeat(bytes - 11)}`
      const versions = [store.maxDtabBytes, store.maxDtabBytes + 1].map((bytes, i) => ({
        namespace: 'large',
        version: i + 1,
        text: text(bytes),
        meta: { ...meta, parent: i },
      }))
      expect(await take(store, 'large', versions), kind).toMatchObject({
        outcome: 'refused',
        error: { code: 'dtab-too-large', detail: { limit: store.maxDtabBytes, used: store.maxDtabBytes + 1 } },
      })
      expect(await store.head('large'), kind).toBeUndefined()
      expect(await take(store, 'large', versions.slice(0, 1)), kind).toMatchObject({ outcome: 'imported', version: 1 })
    }
  })
})
