import { describe, expect, it } from 'vitest'
import { lingerMs } from '../../../interpreters/consul/consul-namer.ts'
import { hostWaitMs } from '../../../interpreters/consul/name-follower.ts'
import { createConsulFixture, instance, shown, shownTree } from './consul.fixture.ts'

describe('the paths of the Consul namer', () => {
  it('keep the spelling in the id, and share one lower-cased query', async () => {
    const { agent, replicas, tree, settle } = createConsulFixture()
    agent.catalog.register(instance('Web'))
    const seen = [replicas('/dc1/WEB'), replicas('/dc1/web'), replicas('/dc1/Web/rest')]
    const bound = tree('/dc1/WEB/rest')
    await settle()
    expect(seen.map(shown)).toEqual(['10.0.0.1:80', '10.0.0.1:80', '10.0.0.1:80'])
    expect(agent.paths).toEqual(['/catalog/service/web'])
    expect(agent.queries[0]?.parameters).toEqual({ dc: 'dc1' })
    expect(bound.last).toMatchObject({
      value: { value: { id: ['#', 'io.l5d.consul', 'dc1', 'WEB'], residual: ['rest'] } },
    })
  })

  it.each([
    '/dc1',
    '/dc1/..',
    '/dc1/.',
    '/dc1/\\x00',
    '/dc1/\\x7f',
    '/dc1/\\xff\\xfe',
    '/\\x0a/web',
    '/dc1/a\\xc2\\xa0b',
    '/dc1/\\xe2\\x80\\x8b',
  ])('make %s neg without asking Consul', async path => {
    const { agent, tree, replicas, settle } = createConsulFixture()
    const seen = [tree(path), replicas(path)]
    await settle()
    expect(seen.map(({ last }) => last)).toMatchObject([{ value: { kind: 'neg' } }, { value: { kind: 'neg' } }])
    expect([agent.counts.begun, agent.counts.datacentersAsked]).toEqual([0, 0])
  })

  it('reach Consul as one percent-encoded segment', async () => {
    const { agent, replicas, settle } = createConsulFixture()
    const odd = 'x'.repeat(300)
    for (const service of ['a/b', 'a b', 'a?dc=x', 'é', '50%;', odd]) agent.catalog.register(instance(service))
    const seen = [
      '/dc1/a\\x2fb',
      '/dc1/a\\x20b',
      '/dc1/a\\x3fdc\\x3dx',
      '/dc1/\\xc3\\xa9',
      '/dc1/50\\x25\\x3b',
      `/dc1/${odd}`,
    ].map(replicas)
    await settle()
    expect(seen.map(shown)).toEqual(Array(6).fill('10.0.0.1:80'))
    expect(agent.paths).toEqual(
      ['a%20b', 'a%2Fb', 'a%3Fdc%3Dx', '%C3%A9', '50%25%3B', odd].map(name => `/catalog/service/${name}`).sort(),
    )
  })

  it('may begin with .local, which shares the query of the datacenter by its name', async () => {
    const { agent, replicas, tree, settle } = createConsulFixture()
    agent.catalog.register(instance('web'))
    const seen = [replicas('/.local/web'), replicas('/dc1/web')]
    const bound = tree('/.local/web')
    await settle()
    expect(seen.map(shown)).toEqual(['10.0.0.1:80', '10.0.0.1:80'])
    expect(agent.paths).toEqual(['/catalog/service/web'])
    expect(bound.last).toMatchObject({ value: { value: { id: ['#', 'io.l5d.consul', '.local', 'web'] } } })
  })

  it('wait with .local until the agent says where it is, and are never neg for that', async () => {
    const { agent, replicas, tree, pass } = createConsulFixture()
    agent.catalog.register(instance('web'))
    agent.selfFailure = new Error('connect ECONNREFUSED')
    const [seen, bound] = [replicas('/.local/web'), tree('/.local/web')]
    await pass(60_000)
    expect(seen.last).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining('ECONNREFUSED') } })
    agent.selfFailure = undefined
    await pass(10_000)
    expect([shown(seen), shownTree(bound)]).toEqual(['10.0.0.1:80', 'leaf'])
    expect(
      [...seen.states, ...bound.states].filter(state => state.kind === 'ok' && state.value.kind === 'neg'),
    ).toEqual([])
  })
})

describe('tags', () => {
  it('of one service share one query, and a tag that nobody has is neg', async () => {
    const { agent, replicas, tree, settle } = createConsulFixture({ includeTag: true })
    agent.catalog.register(instance('web', 1, { tags: ['Gold'] }))
    agent.catalog.register(instance('web', 2, { tags: ['silver', 'gold'] }))
    const seen = ['/dc1/gold/web', '/dc1/SILVER/web', '/dc1/none/web'].map(replicas)
    const late = tree('/dc1/silver/web/rest')
    await settle()
    expect(seen.map(shown)).toEqual(['10.0.0.1:80 10.0.0.2:80', '10.0.0.2:80', 'neg'])
    expect(shownTree(late)).toBe('leaf')
    expect(agent.counts.begun).toBe(1)
    expect(agent.queries[0]?.parameters).toEqual({ dc: 'dc1' })
  })

  it('that an instance loses take it away from that name alone', async () => {
    const { agent, replicas, settle } = createConsulFixture({ includeTag: true })
    agent.catalog.register(instance('web', 1, { tags: ['gold', 'all'] }))
    agent.catalog.register(instance('web', 2, { tags: ['gold', 'all'] }))
    const [gold, all] = [replicas('/dc1/gold/web'), replicas('/dc1/all/web')]
    await settle()
    agent.register(instance('web', 2, { tags: ['all'] }))
    await settle()
    expect([shown(gold), shown(all)]).toEqual(['10.0.0.1:80', '10.0.0.1:80 10.0.0.2:80'])
    expect(all.states).toHaveLength(2)
  })
})

describe('health', () => {
  const worst = [
    [['passing', 'warning'], 'warning'],
    [['warning', 'critical', 'passing'], 'critical'],
    [['critical', 'maintenance'], 'maintenance'],
    [[], 'passing'],
  ] as const

  it.each(worst)('of checks %j is %s', async (checks, status) => {
    const found = await Promise.all(
      ['passing', 'warning', 'critical', 'maintenance'].map(async wanted => {
        const { agent, replicas, settle } = createConsulFixture({ useHealthCheck: true, healthStatuses: [wanted] })
        agent.catalog.register(instance('web', 1, { checks }))
        const seen = replicas('/dc1/web')
        await settle()
        return shown(seen) === '10.0.0.1:80' ? wanted : undefined
      }),
    )
    expect(found.filter(wanted => wanted !== undefined)).toEqual([status])
  })

  it('is not looked at unless it is asked for', async () => {
    const { agent, replicas, settle } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { checks: ['critical'] }))
    const seen = replicas('/dc1/web')
    await settle()
    expect([shown(seen), agent.paths]).toEqual(['10.0.0.1:80', ['/catalog/service/web']])
  })

  it('that nobody has leaves a name that exists: bound to nothing with emptyIsNeg: false, otherwise neg after a while', async () => {
    for (const emptyIsNeg of [true, false]) {
      const { agent, replicas, settle, pass } = createConsulFixture({ useHealthCheck: true, emptyIsNeg })
      agent.catalog.register(instance('web'))
      const [web, none] = [replicas('/dc1/web'), replicas('/dc1/none')]
      await settle()
      agent.register(instance('web', 1, { checks: ['critical'] }))
      await settle()
      expect([shown(web), shown(none)]).toEqual(['none', 'neg'])
      await pass(1_000)
      expect(shown(web)).toBe(emptyIsNeg ? 'neg' : 'none')
    }
  })
})

describe('addresses', () => {
  it('are the service own, else the node own, and the node own alone when that is wanted', async () => {
    for (const [preferServiceAddress, expected] of [
      [true, '10.0.0.1:80 192.168.0.2:80'],
      [false, '192.168.0.1:80 192.168.0.2:80'],
    ] as const) {
      const { agent, replicas, settle } = createConsulFixture({ preferServiceAddress })
      agent.catalog.register(instance('web', 1, { nodeAddress: '192.168.0.1' }))
      agent.catalog.register(instance('web', 2, { nodeAddress: '192.168.0.2', address: '' }))
      const seen = replicas('/dc1/web')
      await settle()
      expect(shown(seen)).toBe(expected)
    }
  })

  it('come once each and in one order, whatever order Consul has; without a port they do not come', async () => {
    const { agent, replicas, settle } = createConsulFixture({ weights: [{ tag: 'big', weight: 3 }] })
    agent.catalog.register(instance('web', 2))
    agent.catalog.register(instance('web', 1, { tags: ['big'] }))
    agent.catalog.register(instance('web', 3, { address: '10.0.0.1' }))
    agent.catalog.register(instance('web', 4, { port: 0 }))
    agent.catalog.register(instance('web', 5, { address: '2001:db8::1' }))
    agent.catalog.register(instance('web', 6, { address: '[2001:db8::2]' }))
    const seen = replicas('/dc1/web')
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80 * 3 10.0.0.2:80 2001:db8::1:80 2001:db8::2:80')
    agent.body = (_query, usual) => (Array.isArray(usual) ? usual.toReversed() : usual)
    agent.answer()
    await settle()
    expect(seen.states).toHaveLength(2)
  })

  it('are in the order of the addresses, not of the nodes', async () => {
    const { agent, replicas, settle } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { address: '10.0.0.9' }))
    agent.catalog.register(instance('web', 2, { address: '10.0.0.1', port: 81 }))
    agent.catalog.register(instance('web', 3, { address: '10.0.0.1' }))
    const seen = replicas('/dc1/web')
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80 10.0.0.1:81 10.0.0.9:80')
  })

  it('that are host names become all their addresses, and follow DNS', async () => {
    const { agent, dns, replicas, settle, pass } = createConsulFixture()
    dns.set('web.internal', { addresses: ['10.1.0.2', '10.1.0.1', '2001:db8::1'], ttlSeconds: 5 })
    agent.catalog.register(instance('web', 1, { address: 'web.internal' }))
    const seen = replicas('/dc1/web')
    await settle()
    expect(shown(seen)).toBe('10.1.0.1:80 10.1.0.2:80 2001:db8::1:80')
    dns.set('web.internal', { addresses: ['10.1.0.3'], ttlSeconds: 5 })
    await pass(5_000)
    expect(shown(seen)).toBe('10.1.0.3:80')
    dns.set('web.internal', new Error('no answer'))
    await pass(5_000)
    expect(shown(seen)).toBe('10.1.0.3:80')
    dns.set('web.internal', { addresses: [], ttlSeconds: 5 })
    await pass(30_000)
    expect(shown(seen)).toBe('10.1.0.3:80')
    agent.register(instance('web', 2))
    await settle()
    expect(shown(seen)).toBe('10.0.0.2:80 10.1.0.3:80')
    agent.deregister(instance('web', 1), instance('web', 2))
    await pass(60_000)
    expect(shown(seen)).toBe('neg')
    expect(dns.asked.length).toBeLessThan(20)
  })

  it('of others are there although one host name cannot be resolved', async () => {
    const { agent, dns, replicas, settle, pass } = createConsulFixture()
    dns.set('sick.internal', new Error('no answer'))
    agent.catalog.register(instance('web', 1))
    agent.catalog.register(instance('web', 2, { address: 'sick.internal' }))
    const seen = replicas('/dc1/web')
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80')
    dns.set('sick.internal', { addresses: ['10.0.0.9'], ttlSeconds: 5 })
    await pass(1_000)
    expect(shown(seen)).toBe('10.0.0.1:80 10.0.0.9:80')
  })

  it('that are host names follow DNS while Consul fails, and stay stale for that', async () => {
    const { agent, dns, replicas, settle, pass } = createConsulFixture()
    dns.set('web.internal', { addresses: ['10.1.0.1'], ttlSeconds: 5 })
    agent.catalog.register(instance('web', 1, { address: 'web.internal' }))
    const seen = replicas('/dc1/web')
    await settle()
    agent.failure = () => new Error('500 No cluster leader')
    agent.answer()
    dns.set('web.internal', { addresses: ['10.1.0.2'], ttlSeconds: 5 })
    await pass(5_000)
    expect(shown(seen)).toBe('10.1.0.2:80 (stale)')
  })

  it('that DNS does not tell are no word that there are none', async () => {
    const { agent, dns, replicas, settle, pass } = createConsulFixture()
    dns.set('sick.internal', new Error('no answer'))
    agent.catalog.register(instance('web', 1, { address: 'sick.internal' }))
    const seen = replicas('/dc1/web')
    await pass(60_000)
    expect(seen.last).toMatchObject({ kind: 'failed', error: { message: 'no answer' } })
    dns.set('sick.internal', { addresses: ['10.0.0.1'], ttlSeconds: 5 })
    await pass(30_000)
    expect(shown(seen)).toBe('10.0.0.1:80')
    dns.set('other.internal', new Error('no answer'))
    agent.register(instance('web', 1, { address: 'other.internal' }))
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80 (stale)')
    agent.answer()
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80 (stale)')
    agent.answer()
    await settle()
    expect(shown(seen)).toBe('10.0.0.1:80 (stale)')
    dns.set('other.internal', { addresses: ['10.0.0.2'], ttlSeconds: 5 })
    await pass(30_000)
    expect(shown(seen)).toBe('10.0.0.2:80')
  })

  it('are waited for a second at most while DNS is silent', async () => {
    const { agent, dns, replicas, settle, pass } = createConsulFixture()
    dns.resolve = () => new Promise(() => {})
    agent.catalog.register(instance('web', 1))
    agent.catalog.register(instance('web', 2, { address: 'slow.internal' }))
    const seen = replicas('/dc1/web')
    await settle()
    expect(shown(seen)).toBe('pending')
    await pass(hostWaitMs)
    expect(shown(seen)).toBe('10.0.0.1:80')
  })
})

describe('what endpoints and sets say of themselves', () => {
  it('is the weight of each endpoint, the largest of its tags', async () => {
    const { agent, replicas, settle } = createConsulFixture({
      weights: [
        { tag: 'canary', weight: 0.1 },
        { tag: 'big', weight: 5 },
      ],
    })
    agent.catalog.register(instance('web', 1, { tags: ['canary'] }))
    agent.catalog.register(instance('web', 2, { tags: ['canary', 'big'] }))
    agent.catalog.register(instance('web', 3))
    const seen = replicas('/dc1/web')
    await settle()
    expect(seen.last).toMatchObject({
      value: {
        endpoints: [
          { weight: 0.1, metadata: { endpoint_addr_weight: 0.1 } },
          { weight: 5, metadata: { endpoint_addr_weight: 5 } },
          { weight: 1, metadata: { endpoint_addr_weight: 1 } },
        ],
      },
    })
  })

  it('is the authority with setHost, once the agent has said its domain', async () => {
    const { agent, replicas, settle, pass } = createConsulFixture({ setHost: true, includeTag: true })
    agent.catalog.register(instance('web', 1, { tags: ['gold'] }))
    agent.selfFailure = new Error('no answer')
    const [web, none] = [replicas('/dc1/Gold/WEB'), replicas('/dc1/gold/none')]
    await settle()
    expect([shown(web), shown(none)]).toEqual(['failed', 'neg'])
    agent.selfFailure = undefined
    agent.own = { datacenter: 'dc1', domain: 'example' }
    await pass(10_000)
    expect(web.last).toMatchObject({ value: { metadata: { authority: 'gold.web.service.dc1.example' } } })
  })

  it('is the metadata of services and nodes with transferMetadata, and nothing of them without', async () => {
    for (const transferMetadata of [true, false]) {
      const { agent, replicas, settle } = createConsulFixture({ transferMetadata, useHealthCheck: true })
      agent.catalog.register(instance('web', 2, { meta: { version: '2' } }))
      agent.catalog.register(instance('web', 1, { meta: { version: '1' }, nodeMeta: { zone: 'a' } }))
      const seen = replicas('/dc1/web')
      await settle()
      const state = seen.last
      if (state?.kind !== 'ok' || state.value.kind !== 'bound') throw new Error('not bound')
      expect(state.value.metadata).toEqual(transferMetadata ? { version: '1' } : undefined)
      expect(state.value.endpoints[0]?.metadata).toEqual({
        endpoint_addr_weight: 1,
        ...(transferMetadata && { zone: 'a' }),
      })
    }
  })
})

describe('the list of names', () => {
  it('shows the services of the agent own datacenter while somebody watches, and no longer', async () => {
    const { agent, namer, kernel, settle, pass } = createConsulFixture()
    agent.catalog.register(instance('Web'))
    agent.catalog.register(instance('api'))
    agent.catalog.register(instance('far', 1, { datacenter: 'dc2' }))
    const seen: unknown[] = []
    const stop = namer.names?.().watch(state => seen.push(state))
    await settle()
    const path = (...rest: string[]) => ['#', 'io.l5d.consul', ...rest]
    expect(seen.at(-1)).toMatchObject({ kind: 'ok', value: [path('dc1', 'Web'), path('dc1', 'api')] })
    agent.register(instance('new'))
    await settle()
    expect(seen.at(-1)).toMatchObject({ value: [path('dc1', 'Web'), path('dc1', 'api'), path('dc1', 'new')] })
    stop?.()
    await pass(60_000)
    expect([agent.paths, kernel.counts().openSources]).toEqual([[], 0])
  })

  it('shows each tag with includeTag', async () => {
    const { agent, namer, settle } = createConsulFixture({ includeTag: true, prefix: '/c' })
    agent.catalog.register(instance('web', 1, { tags: ['b', 'a'] }))
    agent.catalog.register(instance('plain'))
    const seen: unknown[] = []
    namer.names?.().watch(state => seen.push(state))
    await settle()
    expect(seen.at(-1)).toMatchObject({
      value: [
        ['#', 'c', 'dc1', 'a', 'web'],
        ['#', 'c', 'dc1', 'b', 'web'],
      ],
    })
  })
})

describe('the Consul namer', () => {
  it('asks nothing before somebody watches, and lets everything go when it is closed', async () => {
    const { agent, dns, namer, clock, metrics, replicas, settle } = createConsulFixture()
    expect([agent.counts.begun, agent.counts.selfAsked, agent.counts.datacentersAsked]).toEqual([0, 0, 0])
    agent.catalog.register(instance('web'))
    const seen = replicas('/dc1/web')
    await settle()
    expect((await metrics.expose()).body).toContain('consul_watches_followed{source="io.l5d.consul"} 1')
    namer.close()
    namer.close()
    expect([agent.isClosed, dns.isClosed, agent.paths]).toEqual([true, true, []])
    seen.stop()
    clock.advance(lingerMs * 100)
    expect(clock.waiting).toBe(0)
    expect((await metrics.expose()).body).not.toContain('consul_watches_followed{')
  })

  it('keeps two namers of the kind apart in its series', async () => {
    const one = createConsulFixture({ prefix: '/one' })
    one.agent.catalog.register(instance('web'))
    one.replicas('/dc1/web')
    await one.settle()
    const { body } = await one.metrics.expose()
    expect(body).toContain('namer_consul_updates_total{source="one"} 1')
    expect(body).toContain('namer_consul_errors_total{source="one"} 0')
  })
})
