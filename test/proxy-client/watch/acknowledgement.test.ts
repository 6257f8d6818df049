import { describe, expect, it } from 'vitest'
import { Acknowledgement } from '../../../proxy-client/watch/acknowledgement.ts'
import type { Clock } from '../../../watch/clock.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

describe('an acknowledgement that is owed', () => {
  it('becomes due though the timer rings a part of a millisecond before its time', () => {
    const clock = new FakeClock()
    const hasty: Clock = { ...clock, after: (ms, run) => clock.after(Math.max(0.1, Math.trunc(ms) - 0.5), run) }
    let said = 0
    const ack: Acknowledgement = new Acknowledgement(hasty, () => {
      said++
      ack.said()
    })
    ack.owe(false)
    expect(ack.isDue).toBe(true)
    ack.said()
    clock.pass(0.3)
    ack.owe(false)
    expect(ack.isDue).toBe(false)
    clock.advance(101)
    expect([said, clock.waiting]).toEqual([1, 0])
  })
})
