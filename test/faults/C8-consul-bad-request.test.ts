// C8: HTTP 400, which ends the watch of Consul's npm package for good.
import { describe, expect, it } from 'vitest'
import { followAsSource, startConsulTrial, web } from '../clients/consul/consul.fixture.ts'

describe('C8: an agent that answers 400 for a minute', () => {
  it('is asked again with growing, uneven waits, and heard when it has healed', async () => {
    const trial = await startConsulTrial()
    const { consul, counts, clock, advance, advanceUntil } = trial
    consul.register({ service: 'web', port: 1 })
    const source = followAsSource(trial, web)
    await advanceUntil(() => consul.held === 1)
    consul.fault = () => ({ kind: 'status', status: 400, text: 'Invalid\nindex' })
    consul.churn('web')
    await advance(60_000, 10)
    consul.register({ service: 'web', port: 2 })
    expect(source.report).toMatchObject({ state: 'stale', lastError: expect.stringContaining('400 "Invalid index"') })
    expect(source.values).toEqual(['1'])
    expect(source.report?.retryAt).toBeLessThanOrEqual(clock.now() + 5000)
    expect(counts.failures.length).toBeGreaterThan(10)
    expect(counts.failures.length).toBeLessThan(60)
    consul.fault = () => undefined
    await advanceUntil(() => source.report?.state === 'ok')
    expect(source.values).toEqual(['1', '2'])
  })

  it('is left alone for as long as its Retry-After says, up to half a minute', async () => {
    for (const [retryAfter, leastMs, mostMs] of [
      ['12', 12_000, 12_100],
      ['3600', 30_000, 30_100],
    ] as const) {
      const trial = await startConsulTrial()
      const { consul, counts, advanceUntil } = trial
      consul.fault = () => ({ kind: 'status', status: 503, headers: { 'retry-after': retryAfter } })
      const source = followAsSource(trial, web)
      await advanceUntil(() => source.report?.state === 'failed')
      consul.fault = () => undefined
      const tookMs = await advanceUntil(() => source.report?.state === 'ok', 100)
      expect([tookMs >= leastMs, tookMs <= mostMs, counts.requests]).toEqual([true, true, 3])
    }
  })
})
