import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRetryBudget } from '../../../proxy-client/retry/retry-budget.ts'
import { budgetConfig } from '../../../proxy-client/retry/retry-config.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

function budgetOf(config: object = {}) {
  const clock = new FakeClock(1_000_000)
  return { clock, budget: createRetryBudget(budgetConfig.parse(config), clock) }
}

/** Takes all there is. */
function drain({ budget }: ReturnType<typeof budgetOf>): number {
  let taken = 0
  while (budget.tryWithdraw()) taken++
  return taken
}

describe('a retry budget', () => {
  it('gives a new client its reserve at once, and no more', () => {
    const world = budgetOf()
    expect(world.budget.balance).toBe(100)
    expect(drain(world)).toBe(100)
    expect(world.budget.balance).toBe(0)
  })

  it('gives one retry for five requests', () => {
    const world = budgetOf({ minRetriesPerSec: 0 })
    for (let i = 0; i < 4; i++) world.budget.deposit()
    expect(world.budget.tryWithdraw()).toBe(false)
    world.budget.deposit()
    expect(drain(world)).toBe(1)
  })

  it('gives several retries for one request when told so', () => {
    const world = budgetOf({ minRetriesPerSec: 0, percentCanRetry: 2 })
    world.budget.deposit()
    expect(drain(world)).toBe(2)
  })

  it('gives none when nothing is allowed', () => {
    const world = budgetOf({ minRetriesPerSec: 0, percentCanRetry: 0 })
    for (let i = 0; i < 100; i++) world.budget.deposit()
    expect(drain(world)).toBe(0)
  })

  it('forgets requests after their time to live, and fills its reserve again', () => {
    const world = budgetOf({ ttlSecs: 10, minRetriesPerSec: 1 })
    for (let i = 0; i < 1_000; i++) world.budget.deposit()
    expect(world.budget.balance).toBe(210)
    world.clock.advance(10_000)
    expect(world.budget.balance).toBe(10)
    drain(world)
    world.clock.advance(9_999)
    expect(world.budget.balance).toBe(0)
    world.clock.advance(1_001)
    expect(world.budget.balance).toBe(10)
  })

  it('is whole after a long silence', () => {
    const world = budgetOf()
    for (let i = 0; i < 50; i++) world.budget.deposit()
    drain(world)
    world.clock.advance(86_400_000)
    expect(world.budget.balance).toBe(100)
  })

  it('keeps a backend that always fails at 1.2 times the requests and ten a second', () => {
    const world = budgetOf()
    const seconds = 60
    let sent = 0
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < 500; i++) {
        world.clock.advance(2)
        world.budget.deposit()
        sent++
        while (world.budget.tryWithdraw()) sent++
      }
    }
    const requests = seconds * 500
    expect(sent).toBeLessThanOrEqual(1.2 * requests + 10 * seconds)
    expect(sent).toBeGreaterThan(1.15 * requests)
  })

  it('never gives more over its time to live than the share of its requests and the reserve', () => {
    const steps = fc.array(
      fc.record({
        ms: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 15_000 })),
        requests: fc.integer({ min: 0, max: 30 }),
        retries: fc.integer({ min: 0, max: 40 }),
      }),
      { maxLength: 60 },
    )
    const configs = fc.record({
      ttlSecs: fc.integer({ min: 1, max: 12 }),
      minRetriesPerSec: fc.integer({ min: 0, max: 4 }),
      percentCanRetry: fc.constantFrom(0, 0.1, 0.2, 1, 2.5),
    })
    fc.assert(
      fc.property(configs, steps, (config, script) => {
        const { clock, budget } = budgetOf(config)
        const past: { readonly at: number; readonly requests: number; readonly retries: number }[] = []
        for (const { ms, requests, retries } of script) {
          clock.advance(ms)
          for (let i = 0; i < requests; i++) budget.deposit()
          let given = 0
          for (let i = 0; i < retries; i++) if (budget.tryWithdraw()) given++
          past.push({ at: clock.monotonic(), requests, retries: given })
          const window = past.filter(({ at }) => at > clock.monotonic() - config.ttlSecs * 1_000)
          const asked = window.reduce((sum, step) => sum + step.requests, 0)
          const taken = window.reduce((sum, step) => sum + step.retries, 0)
          expect(taken).toBeLessThanOrEqual(
            config.percentCanRetry * asked + config.minRetriesPerSec * config.ttlSecs + 1e-6,
          )
        }
      }),
      { seed: 6, numRuns: 150 },
    )
  })
})
