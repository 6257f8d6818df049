// What changes in a real Consul reaches a client on the gRPC watch of a server process.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { endpointsOf, isNeg, sizeOf, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { RealConsul } from './consul.fixture.ts'

/** Whether exactly these ports are bound, in any order. */
function isBoundTo(...ports: readonly number[]): (state: State<ReplicaSet>) => boolean {
  const wanted = ports.toSorted().join()
  return state =>
    endpointsOf(state)
      ?.map(({ port }) => port)
      .toSorted()
      .join() === wanted
}

describe('a real Consul', () => {
  let consul: RealConsul
  let server: WatchedServer
  beforeAll(async () => {
    consul = await RealConsul.start()
    const healthy = { prefix: '/healthy', useHealthCheck: true }
    const tagged = { prefix: '/tagged', includeTag: true }
    server = await WatchedServer.start(
      ...[{}, healthy, tagged].map(options => consul.namer({ emptyHoldDownMs: 0, ...options })),
    )
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await consul?.[Symbol.asyncDispose]()
  })

  it('has a name from its first registration to its last deregistration', async () => {
    const replicas = server.replicas('/#/io.l5d.consul/dc1/web')
    await replicas.until(isNeg)
    await consul.api.register({ name: 'web', id: 'a', port: 8001, address: '127.0.0.2' })
    await replicas.until(isBoundTo(8001))
    expect(endpointsOf(replicas.state)?.[0]?.address).toBe('127.0.0.2')
    await consul.api.register({ name: 'web', id: 'b', port: 8002 })
    await replicas.until(isBoundTo(8001, 8002))
    await consul.api.deregister('a')
    await replicas.until(isBoundTo(8002))
    await consul.api.deregister('b')
    await replicas.until(isNeg)
  })

  it('is known by .local too', async () => {
    const replicas = server.replicas('/#/io.l5d.consul/.local/local-web')
    await consul.api.register({ name: 'local-web', port: 8003 })
    await replicas.until(isBoundTo(8003))
  })

  it('C9: wakes us by a change of a tag alone', async () => {
    await consul.api.register({ name: 'coloured', port: 8010, tags: ['blue'] })
    const blue = server.replicas('/#/tagged/dc1/blue/coloured')
    const green = server.replicas('/#/tagged/dc1/green/coloured')
    await Promise.all([blue.until(isBoundTo(8010)), green.until(isNeg)])
    await consul.api.register({ name: 'coloured', port: 8010, tags: ['green'] })
    await Promise.all([green.until(isBoundTo(8010)), blue.until(isNeg)])
  })

  it('takes an instance away while its check fails or it is in maintenance, where health counts', async () => {
    const healthy = server.replicas('/#/healthy/dc1/checked')
    const all = server.replicas('/#/io.l5d.consul/dc1/checked')
    await consul.api.register({ name: 'checked', id: 'c1', port: 8021, health: 'passing' })
    await consul.api.register({ name: 'checked', id: 'c2', port: 8022, health: 'passing' })
    await healthy.until(isBoundTo(8021, 8022))
    await consul.api.setHealth('c1', 'critical')
    await healthy.until(isBoundTo(8022))
    await consul.api.setHealth('c1', 'passing')
    await healthy.until(isBoundTo(8021, 8022))
    await consul.api.setMaintenance('c2', true)
    await healthy.until(isBoundTo(8021))
    expect(sizeOf(all.state)).toBe(2)
  })

  it('is heard of truly: nothing is degraded, and each change was timed', async () => {
    expect(await server.metric('source_degraded')).toBe(0)
    expect(await server.metric('watch_lag_seconds_count')).toBeGreaterThan(0)
  })
})
