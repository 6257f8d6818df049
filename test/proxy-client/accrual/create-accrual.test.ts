import { describe, expect, it } from 'vitest'
import { accrualConfig } from '../../../proxy-client/accrual/accrual-config.ts'
import { createAccrual } from '../../../proxy-client/accrual/create-accrual.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

const backoff = { kind: 'constant', ms: 100 }

function accrualOf(config: object) {
  const clock = new FakeClock()
  const create = createAccrual(accrualConfig.parse(config), { random: () => 0, clock })
  return { accrual: create(), clock, create }
}

/** Fails until it is left alone; gives how often. */
function failUntilLeftAlone({ accrual }: ReturnType<typeof accrualOf>, most = 1_000): number | undefined {
  for (let i = 1; i <= most; i++) if (accrual.failed() !== undefined) return i
  return undefined
}

describe('failure accrual by failures in a row', () => {
  const kind = 'io.l5d.consecutiveFailures'

  it('leaves an endpoint alone after five, unless told otherwise', () => {
    expect(failUntilLeftAlone(accrualOf({ kind }))).toBe(5)
    expect(failUntilLeftAlone(accrualOf({ kind, failures: 2 }))).toBe(2)
  })

  it('begins to count anew after a success', () => {
    const world = accrualOf({ kind, failures: 3 })
    world.accrual.failed()
    world.accrual.failed()
    world.accrual.succeeded()
    expect(failUntilLeftAlone(world)).toBe(3)
  })

  it('counts anew, and waits as at first, once the endpoint lives', () => {
    const world = accrualOf({ kind, failures: 3 })
    failUntilLeftAlone(world)
    world.accrual.probeFailed()
    world.accrual.revived()
    expect([world.accrual.failed(), world.accrual.failed(), world.accrual.failed()]).toEqual([
      undefined,
      undefined,
      5_000,
    ])
  })

  it('keeps the counts of endpoints apart', () => {
    const { accrual, create } = accrualOf({ kind, failures: 2 })
    const other = create()
    expect([accrual.failed(), other.failed(), accrual.failed()]).toEqual([undefined, undefined, 5_000])
  })

  it('waits from 5 s up to 300 s unless told otherwise', () => {
    const { accrual } = accrualOf({ kind, failures: 1 })
    expect([accrual.failed(), ...Array.from({ length: 6 }, () => accrual.probeFailed())]).toEqual([
      5_000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000,
    ])
  })

  it('waits as it is told', () => {
    const { accrual } = accrualOf({ kind, failures: 1, backoff })
    expect([accrual.failed(), accrual.probeFailed()]).toEqual([100, 100])
  })
})

describe('failure accrual by success rate', () => {
  const kind = 'io.l5d.successRate'

  it('judges nothing before it has seen as many requests as it is told', () => {
    expect(failUntilLeftAlone(accrualOf({ kind, successRate: 0.9, requests: 20, backoff }))).toBe(20)
  })

  it('bears as many failures as the rate allows', () => {
    const good = accrualOf({ kind, successRate: 0.7, requests: 50, backoff })
    const bad = accrualOf({ kind, successRate: 0.7, requests: 50, backoff })
    const waits: (number | undefined)[] = []
    for (let i = 0; i < 500; i++) {
      if (i % 5 === 0) expect(good.accrual.failed()).toBeUndefined()
      else good.accrual.succeeded()
      if (i % 5 < 2) waits.push(bad.accrual.failed())
      else bad.accrual.succeeded()
    }
    expect(waits.find(ms => ms !== undefined)).toBe(100)
  })

  it('judges anew once the endpoint lives', () => {
    const world = accrualOf({ kind, successRate: 0.9, requests: 10, backoff })
    expect(failUntilLeftAlone(world)).toBe(10)
    world.accrual.revived()
    expect(failUntilLeftAlone(world)).toBe(10)
  })
})

describe('failure accrual by success rate over time', () => {
  const kind = 'io.l5d.successRateWindowed'

  it('judges nothing before its window has passed', () => {
    const world = accrualOf({ kind, successRate: 0.5, window: 30, backoff })
    expect(failUntilLeftAlone(world)).toBeUndefined()
    world.clock.advance(30_000)
    expect(world.accrual.failed()).toBe(100)
  })

  it('weighs what is new more than what is old', () => {
    const world = accrualOf({ kind, successRate: 0.5, window: 10, backoff })
    for (let i = 0; i < 100; i++) {
      world.clock.advance(100)
      world.accrual.succeeded()
    }
    let seconds = 0
    for (; world.accrual.failed() === undefined; seconds++) world.clock.advance(1_000)
    // A rate of 1 fades to a half in ln(2) windows.
    expect(seconds).toBe(7)
  })

  it('judges anew once the endpoint lives', () => {
    const world = accrualOf({ kind, successRate: 0.5, window: 30, backoff })
    world.clock.advance(30_000)
    expect(failUntilLeftAlone(world)).toBe(1)
    world.accrual.revived()
    expect(failUntilLeftAlone(world)).toBeUndefined()
  })
})

describe('no failure accrual', () => {
  it('leaves no endpoint alone', () => {
    expect(failUntilLeftAlone(accrualOf({ kind: 'none' }))).toBeUndefined()
  })
})
