// C4: three Consul servers lose their leader. Names stay as they were, and what is registered afterwards is seen.
import { describe, expect, it } from 'vitest'
import { sizeOf, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsulCluster } from '../consul-cluster.fixture.ts'

describe('C4: the leader of three servers is killed', () => {
  it.each(['default', 'stale', 'consistent'])(
    'under %s reads no name is lost, and later ones are found',
    async consistencyMode => {
      await using cluster = await RealConsulCluster.start()
      const leader = await cluster.leader()
      const [follower] = cluster.servers.filter(({ name }) => name !== leader.name)
      if (follower === undefined) throw new Error('three servers have two followers')
      const names = Array.from({ length: 20 }, (_, n) => `web-${n}`)
      for (const name of names) await follower.api.register({ name, port: 8000 })
      await using server = await WatchedServer.start({
        kind: 'io.l5d.consul',
        host: '127.0.0.1',
        port: follower.port,
        consistencyMode,
      })
      const watched = names.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
      await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 1)))
      const shrunk: string[] = []
      for (const { name, replicas } of watched)
        replicas.onDelivery(state => void (sizeOf(state) < 1 && shrunk.push(name)))
      await cluster.killLeader()
      expect((await cluster.leader()).name).not.toBe(leader.name)
      for (const name of names) await follower.api.register({ name, id: `${name}-second`, port: 8001 })
      await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 2)))
      expect(shrunk).toEqual([])
      await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
    },
  )
})
