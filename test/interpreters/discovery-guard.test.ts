import { describe, expect, it } from 'vitest'
import { createDiscoveryMetrics } from '../../interpreters/discovery-metrics.ts'
import type { GuardedName, Seat } from '../../interpreters/guard-seat.ts'
import { MassEmptyGuard, settleMs, toldPerTurn } from '../../interpreters/mass-empty-guard.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { createScripted, guarded, type Scripted, type ScriptedName } from './discovery.fixture.ts'

const good = '10.0.0.1:80'
const held = `${good} stale`
const holdDownMs = guarded.emptyHoldDownMs

function lasts(names: readonly ScriptedName[]): (string | undefined)[] {
  return names.map(name => name.last)
}

/** What so many names show, all the same. */
function all(count: number, text: string): string[] {
  return Array.from({ length: count }, () => text)
}

function createHeld(lost: number, count = 10): Scripted & { readonly all: ScriptedName[] } {
  const scripted = createScripted({ rule: guarded })
  const all = scripted.names(count)
  for (const name of all.slice(0, lost)) name.has()
  scripted.clock.advance(settleMs)
  return { ...scripted, all }
}

describe('a loss that the guard lets pass', () => {
  it('waits until it is seen whether it is one of many, then shows, and is neg a hold-down after it happened', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const [web] = names(10)
    web?.has()
    clock.advance(settleMs - 1)
    web?.isGone()
    clock.settle()
    expect(web?.last).toBe(good)
    clock.advance(1)
    expect(web?.last).toBe('none')
    clock.advance(holdDownMs - settleMs - 1)
    expect(web?.last).toBe('none')
    clock.advance(1)
    expect(web?.last).toBe('neg')
  })

  it('does not wait when fewer names are observed than can be many', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const few = names(3)
    for (const name of few) name.has()
    clock.settle()
    expect(lasts(few)).toEqual(all(3, 'none'))
  })

  it('is never shown when endpoints come back in time', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const [web] = names(10)
    for (let i = 0; i < 20; i++) {
      web?.isGone()
      clock.advance(100)
      web?.has('10.0.0.1')
      clock.advance(100)
    }
    clock.advance(60_000)
    expect(web?.seen).toEqual(['pending', good])
  })

  it('may be half of the names, and may be all of them when each loss leaves the window before the next', () => {
    const half = createHeld(5)
    expect(lasts(half.all)).toEqual([...all(5, 'none'), ...all(5, good)])
    const { clock, names } = createScripted({ rule: guarded })
    const every = names(10)
    for (const name of every) {
      name.isGone()
      clock.advance(30_001)
    }
    expect(lasts(every)).toEqual(all(10, 'neg'))
  })

  it('counts no name that was empty at first sight, and forgets one that nobody follows', () => {
    const { clock, name, names } = createScripted({ rule: guarded })
    const followed = names(10)
    for (let i = 0; i < 20; i++) name(`empty${i}`).has()
    for (const each of followed.slice(0, 5)) {
      each.isGone()
      each.stop()
    }
    clock.settle()
    followed[5]?.isGone()
    clock.advance(settleMs)
    expect(followed[5]?.last).toBe('none')
    expect(clock.waiting).toBe(1)
  })
})

describe('a loss of many names', () => {
  it.each(['empty', 'gone'])('is held back when they are %s: the last good endpoints stay, with the cure', how => {
    const { clock, discovery, names } = createScripted({ rule: guarded })
    const all10 = names(10)
    for (const name of all10.slice(0, 6)) how === 'empty' ? name.has() : name.isGone()
    clock.advance(settleMs)
    expect(lasts(all10)).toEqual([...all(6, held), ...all(4, good)])
    expect(all10[0]?.reason).toContain('namerctl sources release test')
    expect(discovery.guard?.held()).toEqual(
      ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'].map(name => ({ name, since: clock.now() })),
    )
    clock.advance(86_400_000)
    expect(lasts(all10)).toEqual([...all(6, held), ...all(4, good)])
    expect(new Set(all10[0]?.trees)).toEqual(new Set(['pending', 'bound']))
  })

  it('takes back what was shown as empty or neg within the window', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const all10 = names(10)
    for (const name of all10.slice(0, 6)) {
      name.isGone()
      clock.advance(900)
    }
    expect(lasts(all10)).toEqual([...all(6, held), ...all(4, good)])
    expect(all10[0]?.seen).toEqual(['pending', good, 'none', 'neg', held])
    clock.advance(86_400_000)
    expect(all10[0]?.last).toBe(held)
  })

  it('does not take back what was lost before the window', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const all10 = names(10)
    all10[0]?.isGone()
    clock.advance(30_001)
    for (const name of all10.slice(1, 7)) name.isGone()
    clock.advance(settleMs)
    expect(lasts(all10)).toEqual(['neg', ...all(6, held), ...all(3, good)])
  })

  it('is joined by losses that come while it lasts, and not once too few names are held', () => {
    const { clock, all: all10 } = createHeld(6)
    clock.advance(3_600_000)
    all10[6]?.isGone()
    clock.advance(settleMs)
    expect(all10[6]?.last).toBe(held)
    for (const name of all10.slice(0, 6)) name.has('10.0.0.2')
    all10[7]?.isGone()
    clock.advance(settleMs)
    expect([all10[6]?.last, all10[7]?.last]).toEqual([held, 'none'])
  })

  it('is judged when the oldest loss that lasts has waited, not when one before it has ended', () => {
    const { clock, names } = createScripted({ rule: guarded })
    const all10 = names(10)
    all10[0]?.isGone()
    clock.advance(100)
    for (const name of all10.slice(1, 7)) name.isGone()
    all10[0]?.has('10.0.0.1')
    all10[7]?.isGone()
    clock.advance(settleMs - 1)
    expect(lasts(all10)).toEqual(all(10, good))
    clock.advance(1)
    expect(lasts(all10)).toEqual([good, ...all(7, held), ...all(2, good)])
  })

  it('leaves a name free when its backend gives it endpoints again, and only that one', () => {
    const { clock, discovery, all: all10 } = createHeld(6)
    all10[0]?.has('10.0.0.9')
    clock.settle()
    expect(lasts(all10).slice(0, 2)).toEqual(['10.0.0.9:80', held])
    all10[1]?.has('10.0.0.1')
    clock.settle()
    expect(all10[1]?.last).toBe(good)
    expect(discovery.guard?.held()).toHaveLength(4)
  })

  it('shows the truth of every held name at once when it is released, and does not hold the same losses again', () => {
    const { clock, discovery, all: all10 } = createHeld(6)
    all10[5]?.has('10.0.0.9')
    expect(discovery.guard?.release()).toBe(5)
    clock.settle()
    expect(lasts(all10)).toEqual([...all(5, 'neg'), '10.0.0.9:80', ...all(4, good)])
    for (const name of all10.slice(0, 5)) name.isGone()
    all10[6]?.isGone()
    clock.advance(settleMs)
    expect(lasts(all10).slice(0, 7)).toEqual([...all(5, 'neg'), '10.0.0.9:80', 'none'])
    expect([discovery.guard?.held(), discovery.guard?.release()]).toEqual([[], 0])
  })

  it('is released to nothing, still bound, where empty is not neg', () => {
    const scripted = createScripted({ rule: { ...guarded, emptyIsNeg: false } })
    const all10 = scripted.names(10)
    for (const name of all10.slice(0, 5)) name.has()
    all10[5]?.isGone()
    scripted.clock.advance(settleMs)
    expect(lasts(all10).slice(0, 6)).toEqual(all(6, held))
    scripted.discovery.guard?.release()
    scripted.clock.settle()
    expect(lasts(all10).slice(0, 6)).toEqual([...all(5, 'none'), 'neg'])
  })

  it('forgets names that nobody follows any more while their loss is not judged yet', () => {
    const { clock, discovery, names } = createScripted({ rule: guarded })
    const all10 = names(10)
    for (const name of all10.slice(0, 6)) name.isGone()
    all10[0]?.stop()
    clock.advance(settleMs)
    expect(lasts(all10).slice(1, 6)).toEqual(all(5, held))
    expect(discovery.guard?.held()).toHaveLength(5)
  })

  it('keeps what it holds followed while nobody watches: a fleet that reconnects meanwhile finds the good endpoints', () => {
    const { clock, discovery, name, open, all: all10 } = createHeld(6)
    for (const each of all10) each.stop()
    clock.advance(86_400_000)
    expect([open(), discovery.guard?.held().length]).toEqual([6, 6])
    const again = all10.map((_, i) => name(`n${i}`))
    expect(lasts(again)).toEqual([...all(6, held), ...all(4, 'pending')])
    expect(open()).toBe(10)
  })

  it.each<[string, (scripted: ReturnType<typeof createHeld>) => unknown]>([
    ['they have endpoints again', ({ all }) => all.slice(0, 6).map(name => name.has('10.0.0.1'))],
    ['they are released', ({ discovery }) => discovery.guard?.release()],
    ['the namer closes', ({ discovery }) => discovery.close()],
  ])('keeps nothing followed for itself once %s', (_, end) => {
    const scripted = createHeld(6)
    for (const each of scripted.all) each.stop()
    scripted.clock.settle()
    end(scripted)
    scripted.clock.settle()
    const { watchers, openSources } = scripted.kernel.counts()
    expect([watchers, openSources, scripted.open(), scripted.clock.waiting]).toEqual([0, 0, 0, 0])
    expect(scripted.discovery.guard?.held()).toEqual([])
  })

  it('leaves a name to its watchers when the hold ends', () => {
    const { clock, discovery, open, all: all10 } = createHeld(6)
    discovery.guard?.release()
    clock.settle()
    expect(open()).toBe(10)
    all10[0]?.stop()
    clock.settle()
    expect(open()).toBe(9)
  })

  it('says truly why a name is stale while its backend fails too, and after that', () => {
    const { clock, discovery, all: all10 } = createHeld(6)
    const [web] = all10
    web?.sink.fail(new Error('no leader'), clock.now() + 1000)
    clock.settle()
    expect(web?.reason).toMatch(/namerctl sources release test; its source fails besides: no leader$/)
    web?.sink.contact()
    clock.settle()
    expect(web?.reason).toMatch(/namerctl sources release test$/)
    web?.sink.fail(new Error('no leader'))
    discovery.guard?.release()
    clock.settle()
    expect([web?.last, web?.reason]).toEqual(['neg stale', 'no leader'])
  })

  it('tells of a failure of its backend, of the end of that and of the next, while names are held', () => {
    const { clock, events, kernel, all: all10 } = createHeld(6)
    const [web] = all10
    const tells = () => events.filter(({ kind }) => kind !== 'opened').map(({ kind }) => kind)
    web?.sink.fail(new Error('no leader'), clock.now() + 1000)
    web?.sink.contact()
    expect(tells()).toEqual(['failed', 'recovered'])
    expect(kernel.sources()[0]).toMatchObject({ state: 'stale', lastError: expect.not.stringContaining('no leader') })
    expect(kernel.sources()[0]).not.toHaveProperty('retryAt')
    web?.sink.fail(new Error('no leader'))
    web?.isGone()
    expect(tells()).toEqual(['failed', 'recovered', 'failed', 'recovered'])
    clock.settle()
    expect(web?.last).toBe(held)
  })

  it('is told by one line in the log, a gauge and a counter, and its end by another line', async () => {
    const { clock, discovery, events, log, series, all: all10 } = createHeld(6)
    const gauges = async () => [
      await series('source_names_held{source="test"}'),
      await series('source_mass_empty_total{source="test"}'),
    ]
    expect(await gauges()).toEqual([6, 1])
    all10[6]?.isGone()
    clock.advance(settleMs)
    expect(await gauges()).toEqual([7, 1])
    expect(log).toEqual([
      {
        level: 'warn',
        facts: { source: 'test', held: 6, observed: 10, release: 'namerctl sources release test' },
        message: expect.any(String),
      },
    ])
    all10[0]?.has('10.0.0.1')
    expect(await gauges()).toEqual([6, 1])
    discovery.guard?.release()
    expect(await gauges()).toEqual([0, 1])
    expect(log[1]).toMatchObject({ level: 'info', facts: { source: 'test', why: 'an operator released them' } })
    expect(events.filter(({ kind }) => kind !== 'opened')).toEqual([])
  })
})

/** A guard by itself, of names that only count what they are told. */
class LoneGuard {
  readonly clock = new FakeClock()
  readonly told = { pass: 0, hold: 0, letGo: 0 }
  readonly forgotten: string[] = []
  readonly guard: MassEmptyGuard

  constructor(massEmpty: { maxShare: number; windowMs: number; minNames: number }) {
    const { clock } = this
    const metrics = createDiscoveryMetrics('test', 'test', createMetrics(), clock)
    this.guard = new MassEmptyGuard({ rule: massEmpty, source: 'test', clock, log: silentLog, metrics })
  }

  /** The seat of a name that has endpoints. */
  seat(name: string): Seat {
    const { told } = this
    const guarded: GuardedName = {
      name,
      pass: () => told.pass++,
      hold: () => told.hold++,
      letGo: () => told.letGo++,
      forget: () => this.forgotten.push(name),
    }
    const seat = this.guard.seat(guarded)
    seat.gained()
    return seat
  }

  /** Time passes; what was deferred waits for `turn`. */
  passInOneTurn(ms: number): void {
    const { defer } = this.clock
    const deferred: (() => void)[] = []
    this.clock.defer = run => {
      deferred.push(run)
      return () => {}
    }
    this.clock.advance(ms)
    this.clock.defer = defer
    for (const run of deferred) defer(run)
  }
}

describe('the guard of many names', () => {
  it('tells a name once that its loss left the window, so that nothing is kept of it', () => {
    const lone = new LoneGuard({ maxShare: 0.5, windowMs: 1000, minNames: 4 })
    for (const seat of ['a', 'b', 'c'].map(name => lone.seat(name))) {
      seat.lost()
      lone.clock.advance(600)
    }
    expect(lone.forgotten).toEqual(['a'])
  })

  it('tells so many of a hold in one turn, and of a release, and nothing to one that has moved on meanwhile', () => {
    const lone = new LoneGuard({ maxShare: 0.5, windowMs: 1000, minNames: 4 })
    const { clock, guard, told } = lone
    const count = 3 * toldPerTurn
    const seats = Array.from({ length: count }, (_, i) => lone.seat(`n${i}`))
    for (const seat of seats) seat.lost()
    lone.passInOneTurn(settleMs)
    expect([told.hold, guard.held().length]).toEqual([toldPerTurn, count])
    seats.at(-1)?.gained()
    clock.turn()
    expect(told.hold).toBe(2 * toldPerTurn)
    clock.settle()
    expect(told.hold).toBe(count - 1)
    expect([guard.release(), guard.release(), guard.held()]).toEqual([count - 1, 0, []])
    expect(told.letGo).toBe(toldPerTurn)
    seats.at(-2)?.gained()
    seats.at(-3)?.leave()
    clock.settle()
    expect(told).toEqual({ pass: 0, hold: count - 1, letGo: count - 3 })
  })

  it('lets so many losses pass in one turn', () => {
    const lone = new LoneGuard({ maxShare: 0.9, windowMs: 1000, minNames: 4 })
    const seats = Array.from({ length: 4 * toldPerTurn }, (_, i) => lone.seat(`n${i}`))
    for (const seat of seats.slice(0, 2 * toldPerTurn)) seat.lost()
    lone.clock.advance(settleMs)
    expect(lone.told.pass).toBe(toldPerTurn)
    lone.clock.advance(1)
    expect([lone.told, lone.clock.waiting]).toEqual([{ pass: 2 * toldPerTurn, hold: 0, letGo: 0 }, 0])
  })

  it('has one timer, and shows each name of a burst its hold once', () => {
    const { clock, discovery, names } = createScripted({ rule: guarded })
    const many = names(2_000)
    for (const name of many) name.isGone()
    expect(clock.waiting).toBe(1)
    clock.advance(settleMs)
    expect(discovery.guard?.held()).toHaveLength(2_000)
    expect(many.every(name => name.seen.length === 3)).toBe(true)
    for (const name of many) name.has('10.0.0.1')
    clock.settle()
    expect([discovery.guard?.held(), many.every(name => name.last === good)]).toEqual([[], true])
  })
})
