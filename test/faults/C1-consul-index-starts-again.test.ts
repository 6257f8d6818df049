// C1: Consul restarts and counts from the beginning; who waits for the old index waits for days.
import { describe, expect, it } from 'vitest'
import { Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'

describe('C1: an index that starts again', () => {
  it('is followed through 50 restarts with an empty catalog, each filled in another order', async () => {
    const trial = await startConsulTrial()
    const { consul, agent, clock } = trial
    for (let i = 0; i < 100; i++) consul.register({ service: `old${i}`, port: i })
    consul.register({ service: 'web', port: 1000 })
    const source = followAsSource(trial, web)
    await trial.advanceUntil(() => source.report?.state === 'ok')
    expect(source.report?.version).toBe('102')
    for (let round = 1; round <= 50; round++) {
      await consul.stop()
      await trial.advanceUntil(() => source.report?.state === 'stale')
      expect(source.report?.lastError).toMatch(/ECONNRESET|UND_ERR_SOCKET|ECONNREFUSED/)
      expect(source.report?.retryAt).toBeGreaterThanOrEqual(clock.now())
      const others = Array.from({ length: round % 5 }, (_, i) => ({ service: `other${i}`, port: i }))
      await consul.restartEmpty(...others, { service: 'web', port: 1000 + round })
      await trial.advanceUntil(() => source.values.at(-1) === String(1000 + round) && consul.held === 1)
      expect(source.report).toMatchObject({ state: 'ok', version: String(others.length + 2) })
      expect(source.report?.failingSince).toBeUndefined()
    }
    expect(source.values).toEqual(Array.from({ length: 51 }, (_, i) => String(1000 + i)))
    expect(source.states.filter(state => state.kind === 'failed')).toEqual([])
    expect(agent.load()).toMatchObject({ followed: 1, inUse: 1, waiting: 0, limit: 16 })
  })

  it('is not waited for when the agent restarted while no request was under way', async () => {
    const trial = await startConsulTrial()
    const { consul, counts, until, advance, advanceUntil } = trial
    for (let i = 0; i < 20; i++) consul.churn()
    consul.register({ service: 'web', port: 1 })
    const source = followAsSource(trial, web)
    await until(() => consul.held === 1)
    consul.register({ service: 'web', port: 2 })
    await advance(0)
    expect([consul.held, source.values]).toEqual([0, ['1', '2']])
    await consul.restartEmpty({ service: 'web', port: 3 })
    expect(await advanceUntil(() => source.values.at(-1) === '3')).toBeLessThanOrEqual(250)
    expect(consul.requests.at(-1)?.index ?? 0).toBeLessThanOrEqual(2)
    expect(counts.failures).toEqual([])
  })

  it('is not taken for the present while a restarted server still reads its log: only a consistent read waits for that', async () => {
    const trial = await startConsulTrial()
    const { consul, advanceUntil } = trial
    for (let i = 0; i < 20; i++) consul.churn()
    consul.register({ service: 'web', port: 1 })
    const source = followAsSource(trial, web)
    await advanceUntil(() => consul.held === 1)
    await consul.stop()
    await advanceUntil(() => source.report?.state === 'stale')
    consul.reply = ({ parameters }, usual) =>
      parameters.has('consistent') ? usual : { ...usual, index: '3', body: [] }
    await consul.restartEmpty({ service: 'web', port: 2 })
    await advanceUntil(() => source.values.at(-1) === '2')
    expect(source.values).toEqual(['1', '2'])
    consul.reply = (_, usual) => usual
    await advanceUntil(() => consul.held === 1)
    expect(consul.requests.at(-1)?.parameters.has('consistent')).toBe(false)
  })

  it('is not suspected after a refusal: an agent that refuses was there all the time', async () => {
    const trial = await startConsulTrial()
    const { consul, counts, advanceUntil } = trial
    consul.register({ service: 'web', port: 1 })
    consul.fault = () => ({ kind: 'status', status: 429 })
    const source = followAsSource(trial, web)
    await advanceUntil(() => counts.failures.length > 0)
    consul.fault = () => undefined
    await advanceUntil(() => source.values.at(-1) === '1')
    expect(counts.failures).toContain('refused')
    expect(consul.requests.filter(({ parameters }) => parameters.has('consistent'))).toEqual([])
  })

  it('is seen in an answer, with no connection lost: the next query has no index, and the content is believed then', async () => {
    const { consul, agent, advanceUntil } = await startConsulTrial()
    for (let i = 0; i < 20; i++) consul.churn()
    consul.register({ service: 'web', port: 1 })
    const ear = new Ear()
    agent.follow(web, ear)
    await advanceUntil(() => consul.held === 1)
    consul.reply = (_, usual) => ({ ...usual, index: '3' })
    consul.register({ service: 'web', port: 2 })
    await advanceUntil(() => consul.held === 0 && ear.answers.length === 2)
    expect(consul.requests.map(request => request.index).slice(0, 3)).toEqual([undefined, 22, undefined])
    expect(ear.contents).toEqual(['1', '2'])
    expect(ear.failures).toEqual([])
  })

  it.each([
    ['missing', undefined],
    ['0', '0'],
    ['not a number', 'NaN'],
    ['negative', '-5'],
  ])('goes on without an index when it is %s, with the content told', async (_what, index) => {
    const { consul, agent, counts, advance, advanceUntil } = await startConsulTrial()
    consul.register({ service: 'web', port: 1 })
    consul.reply = (_, usual) => ({ ...usual, index })
    const ear = new Ear()
    agent.follow(web, ear)
    await advance(5000)
    consul.register({ service: 'web', port: 2 })
    await advanceUntil(() => ear.answers.length === 2)
    expect(ear.contents).toEqual(['1', '2'])
    expect(consul.requests.every(request => request.index === undefined)).toBe(true)
    expect(counts.requests).toBeLessThanOrEqual(2 + 5000 / 250 + 2)
    expect(ear.failures).toEqual([])
  })
})
