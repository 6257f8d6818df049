import { describe, expect, it } from 'vitest'
import { Admission } from '../../api/push/admission.ts'
import { type Task, WorkQueue } from '../../api/push/work-queue.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const proxies = 2_500
const namesEach = 20
const width = 1_000

/** A proxy that needs one piece of work for each of its names once it is let in. */
class Newcomer implements Task {
  readonly #done: () => void
  #left = namesEach

  constructor(done: () => void) {
    this.#done = done
  }

  work(): boolean {
    if (--this.#left > 0) return true
    this.#done()
    return false
  }
}

describe('R1: all proxies come back at once', () => {
  it('are served by arrival, never more at a time than the width of the line', () => {
    const clock = new FakeClock(1_000_000)
    const queue = new WorkQueue(clock)
    const admission = new Admission({ clock, queue, width })
    const begun: number[] = []
    let most = 0
    let served = 0
    for (let i = 0; i < proxies; i++) {
      const newcomer = new Newcomer(() => {
        served++
        ticket.leave()
      })
      const ticket = admission.enter(
        namesEach,
        () => {
          begun.push(i)
          most = Math.max(most, admission.admitted)
          queue.add(newcomer)
        },
        () => expect.unreachable('nobody has to go'),
      )
    }
    expect(begun).toHaveLength(width / namesEach)
    expect(admission.waiting).toBe(proxies - width / namesEach)
    clock.settle()
    expect(served).toBe(proxies)
    expect(most).toBe(width)
    expect(begun).toEqual(begun.toSorted((a, b) => a - b))
    expect({ waiting: admission.waiting, admitted: admission.admitted, timers: clock.waiting }).toEqual({
      waiting: 0,
      admitted: 0,
      timers: 0,
    })
  })

  it('are told to come back, each at a time of its own, where the line is full', () => {
    const clock = new FakeClock(1_000_000)
    const admission = new Admission({ clock, queue: new WorkQueue(clock), width, maxWaiting: 500 })
    const away: number[] = []
    for (let i = 0; i < proxies; i++)
      admission.enter(
        namesEach,
        () => {},
        afterMs => away.push(afterMs),
      )
    expect(away).toHaveLength(proxies - width / namesEach - 500)
    expect(Math.min(...away)).toBeGreaterThanOrEqual(1_000)
    // The same speed at which newcomers are taken to be served.
    const inAnySecond = away.filter(afterMs => afterMs >= 5_000 && afterMs < 6_000).length
    expect(inAnySecond * namesEach).toBeLessThanOrEqual(width * 1.1)
  })
})
