import { expect, test } from 'vitest'
import { SendBudget } from '../../../api/push/send-budget.ts'
import type { Task } from '../../../api/push/work-queue.ts'
import { WorkQueue } from '../../../api/push/work-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

const idle = (): Task => ({ work: () => false })

function budgets(): { readonly whole: SendBudget; readonly part: SendBudget; readonly other: SendBudget } {
  const queue = new WorkQueue(new FakeClock())
  const whole = new SendBudget({ limit: 200, queue })
  return {
    whole,
    part: new SendBudget({ limit: 100, queue, whole }),
    other: new SendBudget({ limit: 200, queue, whole }),
  }
}

test('a budget is crowded while somebody waits, and not by one who has found room since', () => {
  const { part } = budgets()
  const task = idle()
  part.take(100)
  expect(part.admits(task)).toBe(false)
  expect(part.isCrowded).toBe(true)
  part.give(10)
  expect(part.admits(task)).toBe(true)
  expect(part.isCrowded).toBe(false)
})

test('who waits for its own connection does not count as waiting for the whole', () => {
  const { whole, part, other } = budgets()
  const task = idle()
  other.take(200)
  expect(part.admits(task)).toBe(false)
  expect(whole.waiting).toBe(1)
  other.give(40)
  part.take(100)
  expect(part.admits(task)).toBe(false)
  expect([whole.waiting, part.waiting]).toEqual([0, 1])
})

test('a budget calls those who wait back once a quarter of it is free, unless they have been forgotten', () => {
  const clock = new FakeClock()
  const budget = new SendBudget({ limit: 100, queue: new WorkQueue(clock) })
  const called: string[] = []
  const task = (name: string): Task => ({ work: () => called.push(name) < 0 })
  const gone = task('gone')
  budget.take(100)
  for (const each of [task('a'), gone, task('b')]) budget.admits(each)
  budget.forget(gone)
  budget.give(20)
  clock.settle()
  expect(called).toEqual([])
  budget.give(5)
  clock.settle()
  expect(called).toEqual(['a', 'b'])
})
