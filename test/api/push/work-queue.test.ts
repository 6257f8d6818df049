import { describe, expect, test } from 'vitest'
import { WorkQueue } from '../../../api/push/work-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

/** A clock on which each reading of the time costs a millisecond, as a piece of work would. */
class WorkingClock extends FakeClock {
  #spent = 0
  override monotonic = (): number => this.#spent++
}

describe('the work queue', () => {
  test('does a few milliseconds of work in a turn, then yields', () => {
    const clock = new WorkingClock()
    const queue = new WorkQueue(clock)
    let pieces = 0
    queue.add({ work: () => ++pieces < 100 })
    clock.turn()
    expect(pieces).toBeLessThanOrEqual(8)
    const turns = 100 / pieces
    for (let turn = 1; turn < turns; turn++) clock.turn()
    expect(pieces).toBe(100)
    expect(clock.waiting).toBe(0)
  })

  test('serves its tasks in turn, so that a long one delays nobody', () => {
    const clock = new FakeClock()
    const queue = new WorkQueue(clock)
    const order: string[] = []
    let left = 3
    queue.add({ work: () => order.push('long') > 0 && --left > 0 })
    queue.add({ work: () => order.push('short') < 0 })
    clock.settle()
    expect(order).toEqual(['long', 'short', 'long', 'long'])
  })

  test('queues a task once, whatever the number of calls', () => {
    const clock = new FakeClock()
    const queue = new WorkQueue(clock)
    let pieces = 0
    const task = { work: () => ++pieces < 0 }
    for (let i = 0; i < 5; i++) queue.add(task)
    clock.settle()
    expect(pieces).toBe(1)
    queue.add(task)
    queue.close()
    clock.settle()
    expect(pieces).toBe(1)
  })

  test('tells its load: nothing while idle, all while there is always something to do', () => {
    const clock = new FakeClock(1_000_000)
    const queue = new WorkQueue(clock)
    expect(queue.load).toBe(0)
    let left = 3_000
    const work = (): boolean => {
      clock.pass(1)
      return --left > 0
    }
    queue.add({ work })
    clock.settle()
    expect(queue.load).toBeGreaterThan(0.99)
    clock.advance(3_000)
    expect(queue.load).toBeLessThan(0.01)
  })

  test('goes on after a task that throws', () => {
    const clock = new FakeClock()
    const queue = new WorkQueue(clock)
    const done: string[] = []
    queue.add({
      work: () => {
        throw new Error('a bug')
      },
    })
    queue.add({ work: () => done.push('next') < 0 })
    expect(() => clock.turn()).toThrow('a bug')
    clock.settle()
    expect(done).toEqual(['next'])
  })
})
