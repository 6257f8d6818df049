import { describe, expect, it } from 'vitest'
import { createKernel } from '../../watch/kernel.ts'
import { ok } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

/** A source that a relay feeds from an input, and very many watchers of what is derived from the source. */
function relayed(watchers: number) {
  const clock = new FakeClock()
  const errors: unknown[] = []
  const kernel = createKernel({ clock, onError: error => errors.push(error) })
  const rules = kernel.input('rules', { initial: 0 })
  const compiled = kernel.source<number>('compiled', sink => {
    const relay = rules.observe({
      isRelay: true,
      deliver: state => {
        if (state.kind === 'ok') sink.set(state.value)
      },
    })
    return () => relay.end()
  })
  const seen: number[][] = Array.from({ length: watchers }, () => [])
  for (const states of seen) {
    const name = kernel.derive('name', read => {
      const state = read(compiled)
      return state.kind === 'ok' ? ok(state.value) : state
    })
    name.watch(state => {
      if (state.kind === 'ok') states.push(state.value)
    })
  }
  return { clock, kernel, rules, seen, errors }
}

describe('a relay', () => {
  it('hands on a change before the next watcher of a long flush is served', () => {
    const { clock, rules, seen } = relayed(2_000)
    rules.set(1)
    clock.turn()
    const served = seen.filter(states => states.includes(1)).length
    expect([served > 0, served < seen.length]).toEqual([true, true])
    rules.set(2)
    clock.settle()
    expect(seen.filter(states => states.includes(1)).length).toBe(served)
    expect(seen.every(states => states.at(-1) === 2)).toBe(true)
  })

  it('is told of a change that nobody else watches', () => {
    const { clock, rules, seen } = relayed(1)
    rules.set(1)
    clock.settle()
    expect(seen).toEqual([[0, 1]])
    expect(clock.waiting).toBe(0)
  })

  it('that feeds itself takes turns with the others, and ends with its kernel', () => {
    const clock = new FakeClock()
    const kernel = createKernel({
      clock,
      onError: error => {
        throw error
      },
    })
    const count = kernel.input('count', { initial: 0 })
    const other = kernel.input('other', { initial: 'a' })
    const seen: string[] = []
    count.observe({
      isRelay: true,
      deliver: state => {
        if (state.kind === 'ok') count.set(state.value + 1)
      },
    })
    other.watch(state => {
      if (state.kind === 'ok') seen.push(state.value)
    })
    other.set('b')
    clock.turn()
    expect(seen).toEqual(['a', 'b'])
    kernel.close()
    clock.settle()
    expect(clock.waiting).toBe(0)
  })
})
