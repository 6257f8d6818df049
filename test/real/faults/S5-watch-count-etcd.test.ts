// S5: etcd restarts and compacts while thousands of namespaces are read and watched. One watch serves them all, it is made anew
// when it is lost, and none is left behind.
import { expect, it } from 'vitest'
import { request } from '../../contract/store.contract.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { freshPrefix, startStore } from '../storage/etcd-store.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

const namespaces = Array.from({ length: 1000 }, (_, i) => `ns-${i}`)
const reads = 10_000
const atOnce = 50

it('S5: the number of watches returns to what it was after restarts and compactions in 10,000 reads', async () => {
  await using etcd = await RealEtcd.start()
  const { server } = etcd
  const place = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
  expect(await server.api.watchers()).toBe(0)
  await using one = await startStore(place)
  const { store } = one
  for (let i = 0; i < namespaces.length; i += atOnce)
    await Promise.all(namespaces.slice(i, i + atOnce).map(name => store.write(request(name, '/a=>/b'))))
  const versions = new Map<string, number>()
  const watchAll = (): readonly (() => void)[] =>
    namespaces.map(name =>
      store.observe(name).watch(state => {
        if (state.kind === 'ok' && state.value !== undefined) versions.set(name, state.value.version)
      }),
    )
  let unwatch = watchAll()
  await untilTrue('all heads', () => versions.size === namespaces.length)
  expect(await server.api.watchers()).toBe(1)
  const interruptions = new Map([
    [2000, () => restart()],
    [4000, () => compact()],
    [6000, () => restart()],
    [8000, () => compact()],
  ])
  const restart = async (): Promise<void> => {
    await server.kill()
    await server.start()
  }
  const compact = async (): Promise<void> => server.api.compact(await server.api.put('/elsewhere', 'x'))
  let failed = 0
  for (let done = 0; done < reads; done += atOnce) {
    const interruption = interruptions.get(done)?.()
    const batch = Array.from({ length: atOnce }, (_, i) => namespaces[(done + i) % namespaces.length] ?? '')
    const answers = await Promise.allSettled(batch.map(name => store.head(name)))
    failed += answers.filter(({ status }) => status === 'rejected').length
    for (const end of unwatch.slice(0, atOnce)) end()
    unwatch = [...unwatch.slice(atOnce), ...watchAll().slice(0, atOnce)]
    await interruption
  }
  expect(failed).toBe(0)
  await store.write(request('ns-0', '/a=>/c'))
  await untilTrue('the last write', () => versions.get('ns-0') === 2)
  await eventually('one watch', async () => (await server.api.watchers()) === 1 || undefined)
  for (const end of unwatch) end()
  await one[Symbol.asyncDispose]()
  await eventually('no watch', async () => (await server.api.watchers()) === 0 || undefined)
  expect(one.env.kernel.counts()).toMatchObject({ watchers: 0, openSources: 0 })
})
