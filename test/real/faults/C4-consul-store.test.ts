// C4: the leader of three Consul servers is killed while ten writers write. Nothing that was answered is lost, and nobody who
// watches sees anything but versions that were written.
import { describe, expect, it } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import type { Store, Version } from '../../../storage/store.ts'
import { request } from '../../contract/store.contract.ts'
import { RealConsulCluster } from '../consul-cluster.fixture.ts'
import { freshPrefix, startStore } from '../storage/consul-store.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

const writers = 10
const writesEach = 30

/** Repeats a write with its key until it is answered. */
async function insist(store: Store, namespace: string, n: number): Promise<Version> {
  const idempotency = { key: `${n}`, fingerprint: 'print' }
  for (;;) {
    try {
      return (await store.write(request(namespace, `/n => /v${n}`, { idempotency }))).written
    } catch (error) {
      if (!NamingError.from(error).retryable) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

describe('C4: the leader under a store is killed between commits', () => {
  it('no answered write is lost, none is there twice', async () => {
    await using cluster = await RealConsulCluster.start()
    const leader = await cluster.leader()
    const ports = cluster.servers.filter(({ name }) => name !== leader.name).map(({ port }) => port)
    const pathPrefix = freshPrefix()
    await using one = await startStore({ port: ports[0] ?? 0, pathPrefix })
    await using two = await startStore({ port: ports[1] ?? 0, pathPrefix })
    const seen = new Map<string, number[]>()
    const names = Array.from({ length: writers }, (_, n) => `ns-${n}`)
    for (const name of names) {
      seen.set(name, [])
      two.store.observe(name).watch(state => {
        if (state.kind === 'ok' && state.value !== undefined) seen.get(name)?.push(state.value.version)
      })
    }
    let answered = 0
    const write = async (namespace: string): Promise<void> => {
      for (let n = 1; n <= writesEach; n++) {
        expect((await insist(one.store, namespace, n)).version).toBe(n)
        answered++
      }
    }
    const writing = Promise.all(names.map(write))
    await untilTrue('a third of the writes', () => answered > (writers * writesEach) / 3)
    await cluster.killLeader()
    await writing
    for (const namespace of names) {
      const history = await two.store.history(namespace, { limit: 1000 })
      expect(history.map(({ version }) => version)).toEqual(
        Array.from({ length: writesEach }, (_, n) => writesEach - n),
      )
      expect((await two.store.head(namespace))?.text).toBe(`/n => /v${writesEach}`)
    }
    await untilTrue('the last version of all', () => [...seen.values()].every(all => all.at(-1) === writesEach))
    for (const versions of seen.values()) expect(versions).toEqual([...versions].sort((a, b) => a - b))
  })
})
