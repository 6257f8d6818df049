// C5: The server starts before Consul, and must come to itself when Consul does.
import { describe, expect, it } from 'vitest'
import { Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'

describe('C5: an agent that is not there yet', () => {
  it('is asked again for ever, never more than 5 s apart, and believed as soon as it answers', async () => {
    const trial = await startConsulTrial()
    const { consul, agent, counts, clock, advance, advanceUntil } = trial
    await consul.stop()
    const source = followAsSource(trial, web)
    expect(source.states.map(state => state.kind)).toEqual(['pending'])
    await advance(600_000, 5000)
    expect(source.report).toMatchObject({ state: 'failed', lastError: expect.stringContaining('ECONNREFUSED') })
    expect(source.report?.lastError).toContain('start it, or correct host and port')
    expect(source.report?.retryAt).toBeLessThanOrEqual(clock.now() + 5000)
    expect(new Set(counts.failures)).toEqual(new Set(['unreachable']))
    expect(counts.failures.length).toBeGreaterThanOrEqual(600 / 5)
    expect(source.values).toEqual([])
    await consul.listen()
    consul.register({ service: 'web', port: 1 })
    expect(await advanceUntil(() => source.report?.state === 'ok', 100)).toBeLessThanOrEqual(5100)
    expect(source.values).toEqual(['1'])
    expect(agent.load()).toMatchObject({ followed: 1, limit: 16 })
  })

  it('is pending, with no word to anyone, until the first answer or the first failure', async () => {
    const { consul, agent, until, advanceUntil } = await startConsulTrial()
    consul.fault = () => ({ kind: 'hang' })
    const ear = new Ear()
    agent.follow(web, ear)
    await until(() => consul.parked === 1)
    expect(ear.log).toEqual([])
    consul.fault = () => undefined
    await advanceUntil(() => ear.log.length === 2, 500)
    expect(ear.log).toEqual(['failed', ''])
  })

  it('is asked once for all names at a time; they go on together, over no more connections than before', async () => {
    const trial = await startConsulTrial({ maxConnections: 4 })
    const { consul, agent, counts, clock, advance, advanceUntil } = trial
    await consul.stop()
    const names = Array.from({ length: 600 }, (_, i) => `s${i}`)
    const sources = names.map(name => followAsSource(trial, { ...web, path: `/catalog/service/${name}` }))
    await advanceUntil(() => sources.every(({ report }) => report?.state === 'failed'))
    await advance(60_000, 100)
    // One for each connection at first, then the probes.
    expect(counts.requests).toBeLessThanOrEqual(4)
    expect(counts.failures.length).toBeGreaterThan(10)
    expect(counts.failures.length).toBeLessThan(60)
    expect(agent.load()).toMatchObject({ followed: 600, isReachable: false, inUse: 0, waiting: 0 })
    const [first] = sources
    for (const { report } of sources) {
      expect(report?.lastError).toContain('ECONNREFUSED')
      expect(report?.retryAt).toBe(first?.report?.retryAt)
    }
    expect(first?.report?.retryAt).toBeGreaterThanOrEqual(clock.now())
    consul.register(...names.map((service, port) => ({ service, port })))
    await consul.listen()
    expect(await advanceUntil(() => agent.load().isReachable)).toBeLessThanOrEqual(5050)
    await advanceUntil(() => sources.every(({ report }) => report?.state === 'ok'))
    expect(sources.map(({ values }) => values.join())).toEqual(names.map((_, i) => String(i)))
    // Four and the probe's; the agent sees the ends of given-up ones a little late.
    expect(consul.mostConnections).toBeLessThanOrEqual(20)
  })

  it('is asked no more when nobody wants to know', async () => {
    const { consul, agent, clock, advanceUntil } = await startConsulTrial()
    await consul.stop()
    const stops = ['a', 'b'].map(name => agent.follow({ ...web, path: `/catalog/service/${name}` }, new Ear()))
    await advanceUntil(() => !agent.load().isReachable)
    for (const stop of stops) stop()
    expect([clock.waiting, agent.load().isReachable]).toEqual([0, true])
  })
})
