// Work in small pieces over several turns of the event loop.
import { expect, it } from 'vitest'
import { TurnQueue } from '../../watch/turn-queue.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

it('does little at once, and the rest some in each turn, in order', () => {
  const clock = new FakeClock()
  const turns = new TurnQueue(clock)
  const done: number[] = []
  for (let i = 0; i < 500; i++) turns.run(() => done.push(i))
  const perTurn = [done.length]
  for (let turn = 0; turn < 4; turn++) {
    clock.turn()
    perTurn.push(done.length)
  }
  expect([perTurn, clock.waiting]).toEqual([[200, 400, 500, 500, 500], 0])
  expect(done).toEqual(Array.from({ length: 500 }, (_, i) => i))
})
