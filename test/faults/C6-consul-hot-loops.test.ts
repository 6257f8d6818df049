// C6: Polls that return at once with nothing new: churn elsewhere, or an agent over a limit of its own.
import { describe, expect, it } from 'vitest'
import { Ear, followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'

describe('C6: an agent that always answers at once', () => {
  it.each([
    ['with an index that moves', true],
    ['with the same index', false],
  ])('is asked no more often than the bucket allows, %s, and a change is told within 300 ms', async (_how, moves) => {
    const trial = await startConsulTrial()
    const { consul, counts, advance, advanceUntil } = trial
    consul.register({ service: 'web', port: 1 })
    consul.fault = () => ({ kind: 'early' })
    let index = 100
    consul.reply = (_, usual) => ({ ...usual, index: String(moves ? index++ : index) })
    const source = followAsSource(trial, web)
    await advance(15_000, 250)
    expect(counts.requests).toBeLessThanOrEqual(2 + 15_000 / 250)
    expect(counts.requests).toBeGreaterThan(50)
    expect(source.states.length).toBe(2)
    for (let round = 2; round <= 10; round++) {
      await advance(170, 10)
      consul.catalog.register({ service: 'web', port: round })
      expect(await advanceUntil(() => source.values.at(-1) === String(round), 10)).toBeLessThanOrEqual(300)
    }
    expect(source.report).toMatchObject({ state: 'ok', ageMs: 0 })
    expect(counts.failures).toEqual([])
  })

  it('tells two changes in a row at once, and a storm of changes at the rate of the bucket, the newest last', async () => {
    const { consul, agent, counts, until, advance, advanceUntil } = await startConsulTrial()
    const ear = new Ear()
    agent.follow(web, ear)
    await until(() => consul.held === 1)
    await advance(1000, 250)
    for (const port of [1, 2]) {
      consul.register({ service: 'web', port })
      await until(() => ear.contents.at(-1) === String(port))
    }
    const before = counts.requests
    for (let port = 3; port <= 200; port++) {
      consul.register({ service: 'web', port })
      await advance(10, 10)
    }
    await advanceUntil(() => ear.contents.at(-1) === '200')
    expect(counts.requests - before).toBeLessThanOrEqual(2 + 2000 / 250)
  })
})
