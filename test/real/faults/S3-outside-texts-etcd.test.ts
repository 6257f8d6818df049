// S3 on etcd: people put, spoil and delete texts with etcdctl.
import { expect, it } from 'vitest'
import { request } from '../../contract/store.contract.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { freshPrefix, startStore } from '../storage/etcd-store.fixture.ts'
import { type OutsideRig, outsideEditsContract } from '../storage/outside-edits.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

async function start(): Promise<OutsideRig> {
  const etcd = await RealEtcd.start()
  const place = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
  const { api } = etcd.server
  const servers = [await startStore(place), await startStore(place), await startStore(place)] as const
  return {
    servers,
    put: (namespace, content) => api.put(`${place.pathPrefix}/${namespace}`, content),
    remove: namespace => api.delete(`${place.pathPrefix}/${namespace}`),
    removeRecord: namespace => api.delete(`${place.pathPrefix}/.heads/${namespace}`),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await server[Symbol.asyncDispose]()
      await etcd[Symbol.asyncDispose]()
    },
  }
}

outsideEditsContract('etcd', start)

it('S3: texts that were there before the first server become version 1, and keys that are none are left alone', async () => {
  await using etcd = await RealEtcd.start()
  const place = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
  const { api } = etcd.server
  await api.put(`${place.pathPrefix}/old`, '/a=>/b')
  for (const key of ['spoilt', '_odd', 'nested/key', '.heads/not a name', '.claims/presence/odd'])
    await api.put(`${place.pathPrefix}/${key}`, 'garbage')
  await using one = await startStore(place)
  await using two = await startStore(place)
  const lists = [one, two].map(({ store }) => store.list())
  const texts = (): readonly (string | undefined)[] =>
    lists.map(list => {
      const state = list.peek()
      return state.kind === 'ok'
        ? state.value.map(({ namespace, version }) => `${namespace} ${version}`).join()
        : undefined
    })
  for (const list of lists) list.watch(() => {})
  await untilTrue('the old one in both lists', () => texts().every(text => text === 'old 1'))
  expect(await two.store.history('old', { limit: 10 })).toMatchObject([{ version: 1, meta: { author: 'external' } }])
  const presence = one.store.presence()
  presence.watch(() => {})
  await untilTrue('nobody present', () => presence.peek().kind === 'ok')
  expect(presence.peek()).toMatchObject({ value: [] })
})

it('S3: a namespace whose record was deleted while no server ran goes on from its last version', async () => {
  await using etcd = await RealEtcd.start()
  const place = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
  {
    await using before = await startStore(place)
    for (let i = 1; i <= 60; i++) await before.store.write(request('web', `/a=>/b${i}`))
  }
  await etcd.server.api.delete(`${place.pathPrefix}/.heads/web`)
  await using after = await startStore(place)
  expect(await after.store.head('web')).toMatchObject({ version: 61, text: '/a=>/b60', meta: { author: 'external' } })
  expect(await after.store.history('web', { limit: 100 })).toHaveLength(61)
})
