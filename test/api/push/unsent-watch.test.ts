import { beforeEach, expect, test } from 'vitest'
import { type UnsentHolder, UnsentWatch } from '../../../api/push/unsent-watch.ts'
import { WorkQueue } from '../../../api/push/work-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

let clock: FakeClock
let queue: WorkQueue
let watch: UnsentWatch
let reset: number[]
let onReset: () => void

beforeEach(() => {
  clock = new FakeClock(0)
  queue = new WorkQueue(clock)
  reset = []
  onReset = () => {}
  const limits = { deadlineMs: 8_000, perConnection: 1_000, perThread: 1_000 }
  watch = new UnsentWatch({ clock, queue, limits, onReset: () => onReset() })
})

type Holder = { -readonly [K in keyof UnsentHolder]: UnsentHolder[K] }

function stopped(id: number): Holder {
  const holder = {
    unsentBytes: 1,
    unsentSince: clock.monotonic(),
    isCrowding: false,
    reset: (): void => {
      reset.push(id)
      watch.delete(holder)
    },
  }
  watch.add(holder)
  return holder
}

test('very many who took nothing are reset in pieces, so that others are served in between', () => {
  for (let id = 0; id < 1_000; id++) stopped(id)
  const seen: number[] = [0]
  const work = (): boolean => {
    clock.pass(1)
    return seen.push(reset.length) < 0
  }
  const other = { work }
  onReset = () => queue.add(other)
  clock.advance(8_000)
  expect(reset).toHaveLength(1_000)
  expect(Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)))).toBeLessThanOrEqual(100)
})

test('who takes something while it waits to be reset stays', () => {
  const holders = Array.from({ length: 200 }, (_, id) => stopped(id))
  const work = (): boolean => {
    for (const holder of holders.slice(100)) holder.unsentSince = clock.monotonic()
    return false
  }
  clock.after(8_000, () => queue.add({ work }))
  clock.advance(8_000)
  expect(reset.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, id) => id))
})

test('who keeps others waiting is reset, whoever has taken nothing for longest first, until nobody waits', () => {
  const holders = [3, 1, 2].map(id => Object.assign(stopped(id), { unsentSince: id, isCrowding: true }))
  const until = holders[2]
  if (until !== undefined) {
    const { reset: last } = until
    until.reset = () => {
      last()
      for (const holder of holders) holder.isCrowding = false
    }
  }
  clock.advance(1_003)
  expect(reset).toEqual([])
  clock.advance(1_000)
  expect(reset).toEqual([1, 2])
})
