// What follows a delivery, and since when the changes that are delivered are there.
import { describe, expect, it } from 'vitest'
import { createKernel } from '../../watch/kernel.ts'
import { ok } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

function kernelWithClock() {
  const clock = new FakeClock(0)
  const errors: unknown[] = []
  return { clock, errors, kernel: createKernel({ clock, onError: error => errors.push(error) }) }
}

describe('afterDelivery', () => {
  it('runs after every watcher that had something to be told, over several turns', () => {
    const { clock, kernel } = kernelWithClock()
    const input = kernel.input<number>('n', { initial: 0 })
    let told = 0
    for (let i = 0; i < 2_000; i++) input.watch(() => told++)
    told = 0
    let toldBefore = -1
    input.set(1)
    kernel.afterDelivery(() => {
      toldBefore = told
    })
    clock.turn()
    expect(toldBefore).toBe(-1)
    clock.settle()
    expect(toldBefore).toBe(2_000)
  })

  it('runs at the next turn when nobody has anything to be told', () => {
    const { clock, kernel } = kernelWithClock()
    let runs = 0
    kernel.afterDelivery(() => runs++)
    expect(runs).toBe(0)
    clock.settle()
    expect([runs, clock.waiting]).toEqual([1, 0])
  })

  it('waits for what was set while a flush was under way', () => {
    const { clock, kernel } = kernelWithClock()
    const first = kernel.input<number>('first', { initial: 0 })
    const second = kernel.input<number>('second', { initial: 0 })
    const order: string[] = []
    first.watch(() => {
      if (order.length === 0) return
      second.set(1)
      kernel.afterDelivery(() => order.push('after'))
    })
    second.watch(state => order.push(`second ${state.kind === 'ok' ? state.value : ''}`))
    first.set(1)
    clock.settle()
    expect(order).toEqual(['second 0', 'second 1', 'after'])
  })

  it('reports a throw and goes on', () => {
    const { clock, kernel, errors } = kernelWithClock()
    const input = kernel.input<number>('n', { initial: 0 })
    const seen: unknown[] = []
    kernel.afterDelivery(() => {
      throw new Error('mine')
    })
    input.watch(state => seen.push(state))
    input.set(1)
    clock.settle()
    expect([errors.length, seen.at(-1)]).toEqual([1, ok(1)])
  })
})

describe('changedAt', () => {
  it('is the moment of the first change that is delivered', () => {
    const { clock, kernel } = kernelWithClock()
    const input = kernel.input<number>('n', { initial: 0 })
    const copy = kernel.derive('copy', read => read(input))
    const seen: number[] = []
    copy.watch(() => seen.push(kernel.changedAt()))
    clock.pass(5)
    input.set(1)
    clock.pass(7)
    input.set(2)
    clock.pass(9)
    clock.settle()
    expect(seen).toEqual([0, 5])
    expect(kernel.changedAt()).toBe(21)
  })

  it('goes along with what a relay feeds', () => {
    const { clock, kernel } = kernelWithClock()
    const input = kernel.input<number>('n', { initial: 0 })
    const fed = kernel.input<number>('fed', { initial: 0 })
    const seen: number[] = []
    input.observe({ isRelay: true, deliver: state => state.kind === 'ok' && fed.set(state.value) })
    fed.watch(() => seen.push(kernel.changedAt()))
    clock.pass(5)
    input.set(1)
    clock.pass(7)
    clock.settle()
    expect(seen).toEqual([0, 5])
  })
})
