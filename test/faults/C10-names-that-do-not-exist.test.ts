// C10: A scanner asks for very many names that do not exist. They cost nothing lasting, and others do not notice.
import { describe, expect, it } from 'vitest'
import { listLingerMs, maxAskedAlone } from '../../interpreters/consul/absent-names.ts'
import { lingerMs } from '../../interpreters/consul/consul-namer.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { type ConsulFixture, createConsulFixture, instance, shown } from '../interpreters/consul/consul.fixture.ts'

async function gauge(metrics: Metrics, name: string): Promise<number> {
  const { body } = await metrics.expose()
  return Number(new RegExp(`^${name}\\{source="io.l5d.consul"\\} (\\S+)$`, 'm').exec(body)?.[1])
}

/** Watches names that do not exist and gives how many of them are neg; then everybody leaves. */
async function scan({ namer, settle }: ConsulFixture, names: readonly string[]): Promise<number> {
  let neg = 0
  const stops = names.map(name =>
    namer.replicas([...namer.prefix, 'dc1', name]).watch(state => {
      if (state.kind === 'ok' && state.value.kind === 'neg') neg++
    }),
  )
  await settle()
  for (const stop of stops) stop()
  return neg
}

const numbered = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${name}-${n}`)

describe('C10: names that do not exist', () => {
  it('cost a scanner of 10,000 of them, a few hundred at a time, one query, and leave nothing behind', async () => {
    const fixture = createConsulFixture()
    const { agent, clock, kernel, metrics, replicas, settle } = fixture
    agent.catalog.register(instance('web'))
    const web = replicas('/dc1/web')
    await settle()
    let neg = 0
    for (let batch = 0; batch < 40; batch++) {
      neg += await scan(fixture, numbered(`scan-${batch}`, 250))
      clock.advance(lingerMs)
    }
    expect(neg).toBe(10_000)
    // Name by name in the first batch, whose answers are not known; then by the list alone.
    expect([agent.counts.begun, agent.counts.mostFollowed]).toEqual([252, 252])
    expect(await gauge(metrics, 'consul_watches_followed')).toBe(2)
    clock.advance(listLingerMs)
    expect(agent.paths).toEqual(['/catalog/service/web'])
    const { cells, openSources, watchers } = kernel.counts()
    expect({ cells, openSources, watchers, timers: clock.waiting }).toEqual({
      cells: 1,
      openSources: 1,
      watchers: 1,
      timers: 0,
    })
    expect(await gauge(metrics, 'namer_consul_names_parked')).toBe(0)
    agent.register(instance('web', 2))
    await settle()
    expect([shown(web), web.states.length]).toEqual(['10.0.0.1:80 10.0.0.2:80', 3])
  })

  it('are asked for one by one while they are few, and share the list of services once they are many', async () => {
    const { agent, metrics, replicas, settle } = createConsulFixture()
    const names = numbered('none', maxAskedAlone)
    const seen = names.map(name => replicas(`/dc1/${name}`))
    await settle()
    expect([agent.paths.length, agent.paths.includes('/catalog/services')]).toEqual([maxAskedAlone, false])
    const more = replicas('/dc1/one-more')
    await settle()
    expect(agent.paths).toEqual(['/catalog/services'])
    expect(await gauge(metrics, 'namer_consul_names_parked')).toBe(maxAskedAlone + 1)
    expect([...seen, more].map(shown)).toEqual(Array(maxAskedAlone + 1).fill('neg'))
  })

  it('become live when they begin to exist, and share the list again when they are gone', async () => {
    const { agent, replicas, settle, pass } = createConsulFixture()
    const seen = numbered('name', 100).map(name => replicas(`/dc1/${name}`))
    await settle()
    agent.register(instance('Name-7'))
    await settle()
    expect(seen.map(shown).filter(text => text !== 'neg')).toEqual(['10.0.0.1:80'])
    expect(agent.paths).toEqual(['/catalog/service/name-7', '/catalog/services'])
    agent.deregister(instance('Name-7'))
    await pass(1_000)
    expect(seen.map(shown)).toEqual(Array(100).fill('neg'))
    expect(agent.paths).toEqual(['/catalog/services'])
  })

  it('are stale while the list cannot be read, and nothing is taken for absent by what it said before', async () => {
    const { agent, replicas, settle } = createConsulFixture()
    agent.catalog.register(instance('web'))
    const seen = numbered('none', 100).map(name => replicas(`/dc1/${name}`))
    await settle()
    agent.failure = ({ path }) => (path === '/catalog/services' ? new Error('500') : undefined)
    agent.answer()
    agent.catalog.register(instance('late'))
    const found = ['/dc1/web', '/dc1/late'].map(replicas)
    await settle()
    expect(found.map(shown)).toEqual(['10.0.0.1:80', '10.0.0.1:80'])
    expect([...new Set(seen.map(shown))]).toEqual(['neg (stale)'])
    agent.failure = () => undefined
    agent.answer()
    await settle()
    expect([...new Set(seen.map(shown))]).toEqual(['neg'])
  })

  it('take no place from those that exist, however many they are', async () => {
    const { agent, metrics, replicas, settle } = createConsulFixture({ maxNames: 100 })
    for (const name of numbered('real', 100)) agent.catalog.register(instance(name))
    const absent = numbered('none', 1_000).map(name => replicas(`/dc1/${name}`))
    await settle()
    const real = numbered('real', 100).map(name => replicas(`/dc1/${name}`))
    await settle()
    expect([...new Set(real.map(shown)), ...new Set(absent.map(shown))]).toEqual(['10.0.0.1:80', 'neg'])
    expect(agent.counts.mostFollowed).toBeLessThanOrEqual(101)
    expect(await gauge(metrics, 'namer_consul_names_parked')).toBe(1_000)
    expect(await gauge(metrics, 'namer_consul_names_refused')).toBe(0)
  })

  it('or do, beyond the cap, are refused with a reason, disturb nobody, and have their turn', async () => {
    const { agent, metrics, replicas, settle, pass } = createConsulFixture({ maxNames: 2 })
    for (const name of numbered('real', 3)) agent.catalog.register(instance(name))
    const [first, second, third] = ['/dc1/real-0', '/dc1/real-1', '/dc1/real-2'].map(replicas)
    await settle()
    expect([first, second].map(seen => seen && shown(seen))).toEqual(['10.0.0.1:80', '10.0.0.1:80'])
    expect(third?.last).toMatchObject({
      kind: 'failed',
      error: { code: 'resource-exhausted', message: expect.stringMatching(/^2 names are followed.*maxNames/) },
    })
    expect([agent.counts.mostFollowed, await gauge(metrics, 'namer_consul_names_refused')]).toEqual([2, 1])
    agent.register(instance('real-0', 2))
    await settle()
    expect(first && shown(first)).toBe('10.0.0.1:80 10.0.0.2:80')
    second?.stop()
    await pass(lingerMs)
    expect(third && shown(third)).toBe('10.0.0.1:80')
    expect(await gauge(metrics, 'namer_consul_names_refused')).toBe(0)
  })

  it('in datacenters that do not exist cost no query at all', async () => {
    const { agent, namer, settle } = createConsulFixture()
    for (let n = 0; n < 1_000; n++) namer.replicas([...namer.prefix, `dc-${n}`, 'web']).watch(() => {})
    await settle()
    expect([agent.counts.begun, agent.counts.datacentersAsked]).toEqual([0, 1])
  })
})
