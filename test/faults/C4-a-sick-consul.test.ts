// C4: A sick Consul answers with errors, or with nothing for everything. No error ever takes an endpoint away.
import { describe, expect, it } from 'vitest'
import { datacentersEveryMs } from '../../interpreters/consul/agent-facts.ts'
import { datacenterGoneMs } from '../../interpreters/consul/service-query.ts'
import type { FakeFault } from '../fakes/consul-agent.fake.ts'
import { createConsulFixture, instance, type Seen, shown, shownTree } from '../interpreters/consul/consul.fixture.ts'
import { createHttpFixture } from '../interpreters/consul/http.fixture.ts'

const isNeg = ({ states }: Seen<{ readonly kind: string }>): boolean =>
  states.some(state => state.kind === 'ok' && state.value.kind === 'neg')

const gauge = async (body: Promise<{ readonly body: string }>, series: string): Promise<number> =>
  Number(
    (await body).body
      .split('\n')
      .find(line => line.startsWith(`${series} `))
      ?.slice(series.length),
  )

describe('C4: a sick Consul', () => {
  const errors = [
    '403 Permission denied',
    '429 Too many requests',
    '500 No cluster leader',
    '500 No path to datacenter',
  ]

  it.each(errors)('that answers %s leaves every name as it was, stale, and it is seen when it heals', async message => {
    const { agent, clock, kernel, metrics, replicas, tree, pass, settle } = createConsulFixture({
      useHealthCheck: true,
    })
    const names = Array.from({ length: 20 }, (_, n) => `web${n}`)
    for (const name of names) agent.catalog.register(instance(name))
    const seen = names.map(name => replicas(`/dc1/${name}`))
    const trees = names.map(name => tree(`/dc1/${name}`))
    await settle()
    agent.failure = () => new Error(message)
    agent.answer()
    for (let minute = 0; minute < 10; minute++) {
      await pass(60_000)
      agent.answer()
    }
    expect(seen.map(shown)).toEqual(Array(20).fill('10.0.0.1:80 (stale)'))
    expect(kernel.sources().filter(({ state }) => state === 'stale')).toHaveLength(20)
    expect(kernel.sources().find(({ state }) => state === 'stale')).toMatchObject({
      lastError: message,
      group: '/#/io.l5d.consul',
      failingSince: clock.now() - 600_000,
    })
    expect(await gauge(metrics.expose(), 'namer_consul_errors_total{source="io.l5d.consul"}')).toBe(220)
    agent.failure = () => undefined
    agent.answer()
    await settle()
    expect(seen.map(shown)).toEqual(Array(20).fill('10.0.0.1:80'))
    expect([...seen, ...trees].filter(isNeg)).toEqual([])
    expect(kernel.sources().filter(({ state }) => state !== 'ok')).toEqual([])
  })

  it('whose answers are malformed leaves every name as it was', async () => {
    const { agent, replicas, settle } = createConsulFixture({ useHealthCheck: true })
    agent.catalog.register(instance('web'))
    const seen = replicas('/dc1/web')
    await settle()
    for (const body of [
      {},
      'text',
      [1],
      [{}],
      [{ Node: {}, Service: { Port: '80' }, Checks: [] }],
      [{ Node: {}, Service: {}, Checks: 1 }],
    ]) {
      agent.body = () => body
      agent.answer()
      await settle()
      expect(shown(seen)).toBe('10.0.0.1:80 (stale)')
    }
    expect(isNeg(seen)).toBe(false)
  })

  it('that hides a service from the token takes no endpoint away, but is believed of one that was never seen', async () => {
    const { agent, kernel, replicas, pass, settle } = createConsulFixture()
    agent.catalog.register(instance('web'))
    agent.catalog.register(instance('secret'))
    const web = replicas('/dc1/web')
    await settle()
    agent.isFiltered = true
    agent.body = () => []
    agent.answer()
    const secret = replicas('/dc1/secret')
    await pass(60_000)
    expect([shown(web), shown(secret), isNeg(web)]).toEqual(['10.0.0.1:80 (stale)', 'neg', false])
    expect(kernel.sources().find(({ name }) => name === 'consul dc1/web')).toMatchObject({
      state: 'stale',
      lastError: expect.stringContaining('allow service:read and node:read'),
    })
    agent.isFiltered = false
    agent.answer()
    await pass(1_000)
    expect(shown(web)).toBe('neg')
  })

  it('that says of every service that it is empty is held back until an operator releases it; one service is believed', async () => {
    const { agent, namer, replicas, pass, settle } = createConsulFixture()
    const names = Array.from({ length: 20 }, (_, n) => `web${n}`)
    for (const name of names) agent.catalog.register(instance(name))
    const seen = names.map(name => replicas(`/dc1/${name}`))
    await settle()
    agent.deregister(instance('web0'))
    await pass(60_000)
    expect(seen.map(shown)).toEqual(['neg', ...Array(19).fill('10.0.0.1:80')])
    agent.body = () => []
    agent.answer()
    await pass(600_000)
    expect(seen.filter(one => shown(one) === '10.0.0.1:80 (stale)').length).toBeGreaterThan(9)
    expect(namer.guard?.held().length).toBeGreaterThan(9)
    namer.guard?.release()
    await settle()
    expect(seen.map(shown)).toEqual(Array(20).fill('neg'))
  })
})

describe('C4: a datacenter', () => {
  const noPath = () => new Error('500 No path to datacenter')

  it('that is not on the list makes its names neg, without a question to it, until it is', async () => {
    const { agent, replicas, tree, settle, pass } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { datacenter: 'dc9' }))
    const [seen, bound] = [replicas('/dc9/web'), tree('/dc9/web')]
    await settle()
    expect([shown(seen), shownTree(bound), agent.counts.begun]).toEqual(['neg', 'neg', 0])
    agent.known = ['dc1', 'dc9']
    await pass(datacentersEveryMs)
    expect([shown(seen), shownTree(bound)]).toEqual(['10.0.0.1:80', 'leaf'])
  })

  it('that is on the list and cannot be reached keeps its names', async () => {
    const { agent, replicas, settle, pass } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { datacenter: 'dc2' }))
    const seen = replicas('/dc2/web')
    await settle()
    agent.failure = noPath
    agent.answer()
    const fresh = replicas('/dc2/other')
    await pass(datacenterGoneMs * 10)
    expect([shown(seen), shown(fresh)]).toEqual(['10.0.0.1:80 (stale)', 'failed'])
  })

  it('whose list cannot be read is asked for all the same, and is never neg for that', async () => {
    const { agent, replicas, settle, pass } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { datacenter: 'dc2' }))
    agent.datacentersFailure = new Error('500')
    const [seen, gone] = [replicas('/dc2/web'), replicas('/dc9/web')]
    agent.failure = ({ parameters }) => (parameters.dc === 'dc9' ? noPath() : undefined)
    await settle()
    await pass(datacenterGoneMs * 2)
    expect([shown(seen), shown(gone)]).toEqual(['10.0.0.1:80', 'failed'])
    agent.datacentersFailure = undefined
    await pass(30_000)
    expect([shown(seen), shown(gone), agent.paths]).toEqual(['10.0.0.1:80', 'neg', ['/catalog/service/web']])
  })

  it('that leaves the list while its questions fail is believed to be gone after a minute, not for a blink', async () => {
    const { agent, replicas, settle, pass } = createConsulFixture()
    agent.catalog.register(instance('web', 1, { datacenter: 'dc2' }))
    const seen = replicas('/dc2/web')
    await settle()
    agent.known = ['dc1']
    await pass(datacenterGoneMs * 3)
    expect(shown(seen)).toBe('10.0.0.1:80')
    agent.failure = noPath
    agent.answer()
    await pass(datacenterGoneMs - 1)
    expect(shown(seen)).toBe('10.0.0.1:80 (stale)')
    agent.failure = () => undefined
    agent.answer()
    await pass(datacenterGoneMs * 2)
    expect(shown(seen)).toBe('10.0.0.1:80')
    agent.failure = noPath
    agent.answer()
    await pass(datacenterGoneMs)
    await pass(1_000)
    expect([shown(seen), agent.paths]).toEqual(['neg', []])
  })
})

describe('C4: over HTTP', () => {
  it('an answer that is empty for the token takes no endpoint away, until it is not for the token', async () => {
    const { agent, replicas, until } = await createHttpFixture()
    agent.register(instance('web'))
    const seen = replicas('/dc1/web')
    await until(() => shown(seen) === '10.0.0.1:80')
    agent.reply = (_, usual) => ({
      ...usual,
      headers: { ...usual.headers, 'x-consul-results-filtered-by-acls': 'true' },
      body: [],
    })
    agent.churn('web')
    await until(() => shown(seen) === '10.0.0.1:80 (stale)')
    agent.reply = (_, usual) => usual
    await until(() => shown(seen) === '10.0.0.1:80')
    expect(isNeg(seen)).toBe(false)
  })

  it('no status, broken connection or silence takes an endpoint away', async () => {
    const { agent, replicas, until } = await createHttpFixture({ useHealthCheck: true })
    agent.register(instance('web'))
    const seen = replicas('/dc1/web')
    await until(() => shown(seen) === '10.0.0.1:80')
    const faults: readonly FakeFault[] = [
      { kind: 'status', status: 403, text: 'Permission denied' },
      { kind: 'status', status: 429 },
      { kind: 'status', status: 500, text: 'No cluster leader' },
      { kind: 'status', status: 500, text: 'No path to datacenter' },
      { kind: 'status', status: 200, text: '{"not": "a list"}' },
      { kind: 'cut' },
      { kind: 'hang' },
    ]
    for (const fault of faults) {
      agent.fault = ({ path }) => (path === '/health/service/web' ? fault : undefined)
      agent.churn('web')
      await until(() => shown(seen) === '10.0.0.1:80 (stale)')
      agent.fault = () => undefined
      await until(() => shown(seen) === '10.0.0.1:80')
    }
    expect(isNeg(seen)).toBe(false)
  })
})
