// C3: A long poll that never returns, returns only in part, or is not woken by a change.
import { describe, expect, it } from 'vitest'
import { Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'
import type { FakeFault } from '../fakes/consul-agent.fake.ts'

const faults: readonly (readonly [string, FakeFault, number, RegExp])[] = [
  ['accepts and never answers', { kind: 'hang' }, 70_000, /did not answer within \d+ ms/],
  ['answers its headers only', { kind: 'headers-only' }, 15_000, /was not whole within 15000 ms/],
  ['answers one byte per second', { kind: 'drip', everyMs: 1000 }, 15_000, /was not whole within 15000 ms/],
]

describe('C3: an answer that does not come', () => {
  it.each(faults)(
    'ends at a deadline when the agent %s, and the next one is heard',
    async (_how, fault, withinMs, said) => {
      const trial = await startConsulTrial()
      const { consul, agent, counts, clock, advanceUntil } = trial
      consul.register({ service: 'web', port: 1 })
      const source = followAsSource(trial, web)
      await advanceUntil(() => consul.held === 1)
      const waitMs = Number.parseInt(consul.requests.at(-1)?.parameters.get('wait') ?? '', 10)
      consul.fault = request => (request.index === undefined ? undefined : fault)
      consul.churn('web')
      await advanceUntil(() => consul.parked === 1 && consul.held === 0)
      consul.fault = () => undefined
      const tookMs = await advanceUntil(() => counts.failures.length === 1, 1000)
      expect(tookMs).toBeLessThanOrEqual(withinMs)
      expect(waitMs).toBeLessThanOrEqual(60_000)
      expect(source.report).toMatchObject({ state: 'stale', lastError: expect.stringMatching(said) })
      expect(source.report?.retryAt).toBeLessThanOrEqual(clock.now() + 5000)
      consul.register({ service: 'web', port: 2 })
      await advanceUntil(() => source.report?.state === 'ok' && consul.held === 1)
      expect(source.values).toEqual(['1', '2'])
      expect(counts.failures).toEqual(['deadline'])
      expect(agent.load()).toMatchObject({ inUse: 1, waiting: 0 })
      expect(consul.parked).toBe(1)
    },
  )

  it('says on the first read too, so that the name does not stay unknown without a reason', async () => {
    const trial = await startConsulTrial()
    trial.consul.fault = () => ({ kind: 'hang' })
    const source = followAsSource(trial, web)
    expect(await trial.advanceUntil(() => source.report?.state === 'failed', 500)).toBeLessThanOrEqual(5500)
    expect(source.report?.lastError).toContain('did not answer within 5000 ms')
  })

  it('finds by a slow re-read what no blocking query tells, and counts it as drift', async () => {
    const { consul, agent, counts, advanceUntil, advance } = await startConsulTrial()
    consul.register({ service: 'web', port: 1 })
    const ear = new Ear()
    agent.follow(web, ear)
    await advanceUntil(() => consul.held === 1)
    const old = { index: String(consul.catalog.indexOf('web')), body: [{ ServicePort: 1 }] }
    consul.reply = (_, usual) => ({ ...usual, body: [{ ServicePort: 1 }] })
    await advance(400_000, 2000)
    expect([ear.contents.at(-1), counts.drifts]).toEqual(['1', 0])
    const rereads = consul.requestsFor(web.path).filter(request => request.index === undefined).length
    expect(rereads).toBe(2)
    consul.reply = (request, usual) =>
      request.index === undefined ? { ...usual, body: [{ ServicePort: 2 }] } : { ...usual, ...old }
    await advanceUntil(() => ear.contents.at(-1) === '2', 2000)
    expect([counts.drifts, counts.failures]).toEqual([1, []])
  })

  it('of anything is noticed within 15 s for all names, and they are read anew once the agent speaks again', async () => {
    const trial = await startConsulTrial()
    const { consul, agent, counts, clock, advance, advanceUntil } = trial
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`)
    for (const [i, name] of names.entries()) consul.register({ service: name, port: i })
    const sources = names.map(name => followAsSource(trial, { ...web, path: `/catalog/service/${name}` }))
    await advanceUntil(() => consul.held === 20)
    await advance(25_000, 250)
    expect([agent.load().isReachable, counts.failures]).toEqual([true, []])
    consul.fault = () => ({ kind: 'hang' })
    consul.freeze()
    const isStale = (): boolean => sources.every(({ report }) => report?.state === 'stale')
    expect(await advanceUntil(isStale, 250)).toBeLessThanOrEqual(15_250)
    await advance(60_000, 250)
    expect(agent.load()).toMatchObject({ isReachable: false, followed: 20, waiting: 0 })
    for (const { report } of sources) {
      expect(report?.lastError).toContain('did not answer within 5000 ms')
      expect(report?.retryAt).toBeLessThanOrEqual(clock.now() + 5000)
    }
    expect(consul.requests.slice(-5).map(({ path }) => path)).toEqual(Array(5).fill('/agent/self'))
    consul.fault = () => undefined
    for (const [i, name] of names.entries()) consul.register({ service: name, port: 100 + i })
    await advanceUntil(() => sources.every(({ report }) => report?.state === 'ok'))
    expect(sources.map(({ values }) => values.join())).toEqual(names.map((_, i) => `${i},${100 + i}`))
    expect(agent.load().isReachable).toBe(true)
  })

  it('of one name alone is no word of the others', async () => {
    const trial = await startConsulTrial()
    const { consul, agent, advance, advanceUntil } = trial
    consul.register({ service: 'web', port: 1 })
    consul.fault = ({ path }) => (path.endsWith('/sick') ? { kind: 'hang' } : undefined)
    const sick = followAsSource(trial, { ...web, path: '/catalog/service/sick' })
    const source = followAsSource(trial, web)
    await advanceUntil(() => sick.report?.state === 'failed')
    await advance(60_000, 250)
    expect([source.report?.state, source.states.length, agent.load().isReachable]).toEqual(['ok', 2, true])
  })
})
