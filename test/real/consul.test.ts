// What changes in a real Consul reaches a client on the gRPC watch of a server process.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { endpointsOf, isNeg, WatchedServer } from '../e2e/watched-server.fixture.ts'
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
    server = await WatchedServer.start(consul.namer({ emptyHoldDownMs: 0 }))
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

  it('is heard of truly: nothing is degraded, and each change was timed', async () => {
    expect(await server.metric('source_degraded')).toBe(0)
    expect(await server.metric('watch_lag_seconds_count')).toBeGreaterThan(0)
  })
})
