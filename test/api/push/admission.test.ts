import { beforeEach, describe, expect, test } from 'vitest'
import { Admission, type Ticket } from '../../../api/push/admission.ts'
import { WorkQueue } from '../../../api/push/work-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

describe('admission', () => {
  let clock: FakeClock
  let admission: Admission
  let begun: string[]
  let away: number[]

  beforeEach(() => {
    clock = new FakeClock(1_000_000)
    begun = []
    away = []
    admission = create({})
  })

  function create(options: { readonly maxWaiting?: number }): Admission {
    return new Admission({ clock, queue: new WorkQueue(clock), width: 10, ...options })
  }

  const enter = (name: string, cost: number): Ticket =>
    admission.enter(
      cost,
      () => begun.push(name),
      afterMs => away.push(afterMs),
    )

  test('lets newcomers in before it returns while there is room, and leaves nothing behind', () => {
    const tickets = ['a', 'b'].map(name => enter(name, 5))
    expect(begun).toEqual(['a', 'b'])
    for (const ticket of tickets) ticket.leave()
    expect(admission.admitted).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  test('lets in by arrival, however small a later one is', () => {
    const first = enter('a', 8)
    enter('large', 9)
    enter('small', 1)
    clock.settle()
    expect(begun).toEqual(['a'])
    expect(admission.waiting).toBe(2)
    first.leave()
    clock.settle()
    expect(begun).toEqual(['a', 'large', 'small'])
  })

  test('lets one in that costs more than the width, alone', () => {
    const small = enter('small', 1)
    const huge = enter('huge', 1_000)
    enter('next', 1)
    expect(begun).toEqual(['small'])
    small.leave()
    clock.settle()
    expect(begun).toEqual(['small', 'huge'])
    huge.leave()
    clock.settle()
    expect(begun).toEqual(['small', 'huge', 'next'])
  })

  test('never serves more than the width at once, and counts each ticket once', () => {
    const tickets = Array.from({ length: 40 }, (_, i) => enter(`${i}`, 2))
    expect(admission.admitted).toBe(10)
    for (const ticket of tickets) {
      ticket.leave()
      ticket.leave()
      clock.settle()
      expect(admission.admitted).toBeLessThanOrEqual(10)
    }
    expect(begun).toHaveLength(40)
    expect(admission.admitted).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  test('forgets one that leaves the line', () => {
    const first = enter('a', 10)
    enter('b', 5).leave()
    enter('c', 5)
    first.leave()
    clock.settle()
    expect(begun).toEqual(['a', 'c'])
  })

  test('goes on without one that takes its time', () => {
    enter('slow', 10)
    admission.enter(5, () => begun.push('next'))
    clock.advance(5_500)
    expect(begun).toEqual(['slow', 'next'])
    expect(admission.admitted).toBe(5)
  })

  test('sends those away that find the line full, one to come back after the other', () => {
    admission = create({ maxWaiting: 3 })
    for (let i = 0; i < 8; i++) enter(`${i}`, 10)
    expect(begun).toEqual(['0'])
    expect(admission.waiting).toBe(3)
    expect(away).toHaveLength(4)
    expect(away).toEqual(away.toSorted((a, b) => a - b))
    expect(new Set(away).size).toBe(4)
  })

  test('sends nobody away while there is room in line, however slow it is', () => {
    for (let i = 0; i < 100; i++) enter(`${i}`, 10)
    clock.advance(30_000)
    expect(away).toEqual([])
    expect(begun.length).toBeGreaterThan(1)
  })

  test('keeps those in line who cannot be sent away', () => {
    admission = create({ maxWaiting: 1 })
    enter('inside', 10)
    for (let i = 0; i < 5; i++) admission.enter(1, () => begun.push('patient'))
    expect(admission.waiting).toBe(5)
    expect(away).toEqual([])
  })
})
