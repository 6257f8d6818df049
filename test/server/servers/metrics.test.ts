import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../runtime/metrics.ts'
import { openServers } from '../../../server/servers/index.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { appear, FakeNetwork } from '../../fakes/servers.fake.ts'
import { testEnv } from '../../storage/store.fixture.ts'

const namespaces = Object.fromEntries(Array.from({ length: 1_500 }, (_, n) => [`ns-${n}`, '/a => /b']))

describe('the metrics of servers', () => {
  it('have a series for at most a thousand namespaces, those in use first, and count who is silent', async () => {
    const clock = new FakeClock()
    const metrics = createMetrics()
    const env = { ...testEnv(clock), metrics }
    const store = createMemoryStore({ ...env, namespaces })
    const network = new FakeNetwork()
    const shutdown = new AbortController()
    const open = openServers({
      ...env,
      store,
      identity: { id: 'self' },
      version: '1.0.0',
      createDialer: () => network.dial,
      shutdown: shutdown.signal,
    })
    open.servers.own.takeInUse('ns-1499', 1)
    open.begin({ host: '127.0.0.1', port: 1 })
    await appear(store, 'b')
    await appear(store, 'c')
    clock.settle()
    network.greet('b', { 'ns-1': 7 })
    const lines = (await metrics.expose()).body.split('\n')
    expect(lines.filter(line => line.startsWith('nameplane_dtab_version{'))).toHaveLength(1_000)
    expect(lines).toContain('nameplane_dtab_version{namespace="ns-1499"} 1')
    expect(lines).toContain('nameplane_servers 3')
    expect(lines).toContain('nameplane_servers_silent 1')
    for (let second = 0; second < 20; second++) {
      clock.advance(1_000)
      network.say('b')
    }
    expect((await metrics.expose()).body).toContain('nameplane_replicas_disagree 1500\n')
    expect(open.reasons()).toEqual([
      'server c does not reply: no answer within 3000 ms',
      'servers go by different versions of ns-0, ns-1, ns-10, ns-100, ns-1000 and 1495 more',
    ])
    const closing = open.close()
    clock.advance(2_000)
    await closing
    expect(network.open).toEqual([])
    await store.close()
    env.kernel.close()
  })
})
