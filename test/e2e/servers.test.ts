// Several servers on one store: each knows the others, and a write answered by one is gone by on all.
import { describe, expect, it } from 'vitest'
import { createGrpcApi } from '../../api/grpc/grpc-api.ts'
import { createPeerDialer } from '../../api/grpc/servers-dialer.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { openServers } from '../../server/servers/index.ts'
import { createSources } from '../../server/sources.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { testKernel, until } from '../api/grpc/grpc-api.fixture.ts'
import { FakeInterpreter } from '../fakes/interpreter.fake.ts'
import { tempDirectory } from '../storage/store.fixture.ts'
import { Replica } from './replicas.fixture.ts'

describe('three servers on one sqlite file', () => {
  it('go by what one of them wrote once wait=all is answered, and forget one that stops', async () => {
    const directory = tempDirectory()
    try {
      const storage = { kind: 'sqlite', path: `${directory.path}/nameplane.db` }
      await using a = await Replica.start('a', storage)
      await using b = await Replica.start('b', storage)
      {
        await using c = await Replica.start('c', storage)
        const all = [a, b, c]
        await Promise.all(all.map(replica => replica.untilWhole(3)))
        for (const [index, writer] of all.entries()) {
          await Promise.all(all.map(replica => replica.bindVersion('default')))
          const written = await writer.put('default', `/svc => /v${index}`, '?wait=all&timeout=60s')
          expect(written).toMatchObject({ version: index + 1, applied: true })
          expect(written.servers?.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
          const versions = await Promise.all(all.map(replica => replica.bindVersion('default')))
          expect(versions).toEqual([index + 1, index + 1, index + 1])
        }
      }
      const left = await a.until(({ servers }) => servers.length === 2)
      expect(left.servers.map(({ id }) => id)).toEqual(['a', 'b'])
      expect(left.disagreementCount).toBe(0)
    } finally {
      directory.remove()
    }
  })
})

describe('servers that come and go', () => {
  it('fifty times leave neither streams nor watchers behind', async () => {
    const kernel = testKernel()
    const env = { kernel, clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() }
    const store = createMemoryStore(env)
    const start = async (id: string) => {
      const shutdown = new AbortController()
      const metrics = createMetrics()
      const open = openServers({
        ...env,
        metrics,
        store,
        identity: { id },
        version: '1',
        createDialer: self => createPeerDialer({ id: self, version: '1' }, systemClock),
        shutdown: shutdown.signal,
      })
      const sources = createSources({ ...env, metrics, namers: [], storageKind: 'memory' })
      const interpreter = new FakeInterpreter(kernel)
      const { servers } = open
      const api = createGrpcApi({ ...env, metrics, store, interpreter, sources, servers, shutdown: shutdown.signal })
      open.begin(await api.listen({ host: '127.0.0.1', port: 0 }))
      const stop = async (): Promise<void> => {
        shutdown.abort()
        await api.close()
        await open.close()
      }
      return { api, servers, stop }
    }
    const first = await start('first')
    const others = async (round: number): Promise<void> => {
      const two = await Promise.all([start(`b${round}`), start(`c${round}`)])
      await until(() => first.servers.counts().present === 3 && first.servers.counts().silent === 0)
      await Promise.all(two.map(other => other.stop()))
      await until(() => first.servers.counts().present === 1 && first.api.followers === 0)
    }
    await others(0)
    const { watchers } = kernel.counts()
    for (let round = 1; round < 50; round++) await others(round)
    expect(kernel.counts().watchers).toBe(watchers)
    expect(first.servers.own.watching).toBe(1)
    await first.stop()
    await store.close()
    kernel.close()
  })
})
