import { describe, expect, it } from 'vitest'
import { Acknowledgement } from '../../../proxy-client/watch/acknowledgement.ts'
import type { Clock } from '../../../watch/clock.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

describe('an acknowledgement that is owed', () => {
  it('becomes due though the timer rings a part of a millisecond before its time', () => {
    const clock = new FakeClock()
    const hasty: Clock = { ...clock, after: (ms, run) => clock.after(Math.max(0.1, Math.trunc(ms) - 0.5), run) }
    let said = 0
    const onDue = (): void => {
      said++
      ack.said()
    }
    const ack: Acknowledgement = new Acknowledgement({ clock: hasty, random: () => 0, onDue })
    ack.owe(false)
    expect(ack.isDue).toBe(true)
    ack.said()
    clock.pass(0.3)
    ack.owe(false)
    expect(ack.isDue).toBe(false)
    clock.advance(101)
    expect([said, clock.waiting]).toEqual([1, 0])
  })

  it('comes at a random moment where the server has told very many, and says how long ago it is', () => {
    const clock = new FakeClock()
    const delays: number[] = []
    const onDue = (): void => void delays.push(ack.said())
    const ack: Acknowledgement = new Acknowledgement({ clock, random: () => 0.5, onDue })
    ack.owe(false, 400)
    ack.owe(false)
    clock.advance(199)
    expect([delays, ack.isDue]).toEqual([[], false])
    clock.advance(1)
    expect(delays).toEqual([200])
    ack.owe(false, 400)
    clock.advance(50)
    ack.owe(true, 400)
    expect(ack.isDue).toBe(true)
    ack.said()
    expect(clock.waiting).toBe(0)
  })
})
