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
    expect(new Set(counts.failures)).toEqual(new Set(['connection']))
    expect(counts.failures.length).toBeGreaterThanOrEqual(600 / 5)
    expect(source.values).toEqual([])
    await consul.listen()
    consul.register({ service: 'web', port: 1 })
    expect(await advanceUntil(() => source.report?.state === 'ok', 100)).toBeLessThanOrEqual(5100)
    expect(source.values).toEqual(['1'])
    expect(agent.load()).toMatchObject({ followed: 1, limit: 180 })
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
})
