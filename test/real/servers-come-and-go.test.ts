// Servers of one store that start and stop all the time, over real sockets: nothing of them stays behind in one that remains.
import { describe, expect, it } from 'vitest'
import { createGrpcApi } from '../../api/grpc/grpc-api.ts'
import { createPeerDialer } from '../../api/grpc/servers-dialer.ts'
import { ProxyRegistry } from '../../api/push/proxy-registry.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { openServers } from '../../server/servers/index.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { systemClock, systemRandom } from '../../watch/clock.ts'
import { testKernel, until } from '../api/grpc/grpc-api.fixture.ts'
import { FakeInterpreter } from '../fakes/interpreter.fake.ts'

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
      const interpreter = new FakeInterpreter(kernel)
      const { servers } = open
      const proxies = new ProxyRegistry({ ...env, namespace: ns => interpreter.namespace(ns), server: id })
      const api = createGrpcApi({
        ...env,
        metrics,
        interpreter,
        servers,
        proxies,
        ownProxies: proxies,
        shutdown: shutdown.signal,
      })
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
