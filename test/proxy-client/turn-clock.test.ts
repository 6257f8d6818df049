import { expect, it } from 'vitest'
import { createTurnClock } from '../../proxy-client/turn-clock.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

it('stands still within an event, and tells the time anew in the next', async () => {
  const source = new FakeClock()
  const clock = createTurnClock(source)
  const first = clock.monotonic()
  source.advance(5)
  expect(clock.monotonic()).toBe(first)
  await Promise.resolve()
  expect(clock.monotonic()).toBe(first + 5)
})

it('shows every timer that ran in one turn its own time', async () => {
  const source = new FakeClock()
  const clock = createTurnClock(source)
  const began = clock.monotonic()
  const seen: number[] = []
  for (const ms of [10, 20]) clock.after(ms, () => seen.push(clock.monotonic() - began))
  for (let i = 0; i < 2; i++) {
    await Promise.resolve()
    source.advance(10)
  }
  expect(seen).toEqual([10, 20])
})
