import { describe, expect, it } from 'vitest'
import { Waiters } from '../../../proxy-client/cache/waiters.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

function setUp() {
  const clock = new FakeClock()
  const waiters = new Waiters(clock)
  const ended: string[] = []
  const wait = (name: string, ms: number) => waiters.wait(ms, () => ended.push(name))
  return { clock, waiters, ended, wait }
}

describe('those who wait', () => {
  it('are called together, once', () => {
    const { clock, waiters, ended, wait } = setUp()
    wait('a', 100)
    wait('b', 200)
    waiters.wake()
    waiters.wake()
    clock.advance(1000)
    expect([ended, waiters.size, clock.waiting]).toEqual([['a', 'b'], 0, 0])
  })

  it('are called singly when their time is up', () => {
    const { clock, waiters, ended, wait } = setUp()
    wait('a', 100)
    wait('b', 200)
    clock.advance(100)
    expect([ended, waiters.size]).toEqual([['a'], 1])
  })

  it('are not called when they do not wait any more, by the call of another either', () => {
    const { clock, waiters, ended, wait } = setUp()
    const cancels: (() => void)[] = []
    waiters.wait(100, () => {
      for (const cancel of cancels) cancel()
    })
    cancels.push(wait('b', 100))
    waiters.wake()
    clock.advance(1000)
    expect([ended, clock.waiting]).toEqual([[], 0])
  })

  it('may wait anew when they are called', () => {
    const { waiters } = setUp()
    let calls = 0
    const again = (): void => {
      calls++
      waiters.wait(100, again)
    }
    waiters.wait(100, again)
    waiters.wake()
    expect([calls, waiters.size]).toEqual([1, 1])
  })
})
