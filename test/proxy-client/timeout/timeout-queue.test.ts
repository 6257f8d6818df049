import { describe, expect, it } from 'vitest'
import { type Timeout, TimeoutQueue } from '../../../proxy-client/timeout/timeout-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

describe('a queue of timeouts', () => {
  function setUp() {
    const clock = new FakeClock()
    const queue = new TimeoutQueue(clock, 100)
    const ran: string[] = []
    const timeout = (name: string): Timeout => queue.create(() => ran.push(name))
    return { clock, queue, ran, timeout }
  }

  it('runs each once, in the order of their starts, when its time is over', () => {
    const { clock, ran, timeout } = setUp()
    timeout('a').start()
    clock.advance(40)
    timeout('b').start()
    clock.advance(59)
    expect(ran).toEqual([])
    clock.advance(1)
    expect(ran).toEqual(['a'])
    clock.advance(40)
    expect(ran).toEqual(['a', 'b'])
    clock.advance(1000)
    expect(ran).toEqual(['a', 'b'])
  })

  it('does not run what was stopped, whichever place it had', () => {
    for (const stopped of ['a', 'b', 'c']) {
      const { clock, ran, timeout } = setUp()
      for (const name of ['a', 'b', 'c']) {
        const one = timeout(name)
        one.start()
        if (name === stopped) one.stop()
        one.stop()
        if (name !== stopped) one.start()
      }
      clock.advance(100)
      expect(ran).toEqual(['a', 'b', 'c'].filter(name => name !== stopped))
    }
  })

  it('counts anew from each start', () => {
    const { clock, ran, timeout } = setUp()
    const one = timeout('a')
    one.start()
    timeout('b').start()
    clock.advance(60)
    one.start()
    clock.advance(60)
    expect(ran).toEqual(['b'])
    clock.advance(40)
    expect(ran).toEqual(['b', 'a'])
  })

  it('lets a timeout start itself again, and others, from its own run', () => {
    const { clock, queue } = setUp()
    let runs = 0
    const again = queue.create(() => {
      runs++
      again.start()
    })
    again.start()
    clock.advance(350)
    expect(runs).toBe(3)
  })

  it('holds one timer while any runs, and none after', () => {
    const { clock, queue, timeout } = setUp()
    const timeouts = Array.from({ length: 50 }, (_, i) => timeout(String(i)))
    for (const one of timeouts) one.start()
    expect(clock.waiting).toBe(1)
    for (const one of timeouts) one.stop()
    clock.advance(100)
    expect(clock.waiting).toBe(0)
    for (const one of timeouts) one.start()
    queue.close()
    expect(clock.waiting).toBe(0)
  })
})
