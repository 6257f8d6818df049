import { beforeEach, describe, expect, test } from 'vitest'
import { WarmCells } from '../../api/warm-cells.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

let clock: FakeClock
let kernel: Kernel
let opened: string[]

beforeEach(() => {
  clock = new FakeClock()
  kernel = createKernel({ clock, onError: error => expect.unreachable(String(error)) })
  opened = []
})

function source(name: string): () => Cell<string> {
  return () =>
    kernel.source<string>(name, sink => {
      opened.push(name)
      sink.set(name)
      return () => {}
    })
}

function openSources(): number {
  return kernel.counts().openSources
}

describe('cells that are kept warm', () => {
  test('stay open for the next request, and go after the time without one', () => {
    const warm = new WarmCells({ clock, lingerMs: 10_000, maxCells: 10 })
    warm.keep('a', source('a'))
    clock.advance(9_000)
    expect(warm.keep('a', source('a')).peek()).toMatchObject({ value: 'a' })
    clock.advance(9_000)
    expect(openSources()).toBe(1)
    clock.advance(20_000)
    expect(openSources()).toBe(0)
    expect(opened).toEqual(['a'])
    expect(clock.waiting).toBe(0)
  })

  test('give way to newer ones beyond the cap, whatever was used longest ago first', () => {
    const warm = new WarmCells({ clock, lingerMs: 10_000, maxCells: 2 })
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) warm.keep(key, source(key))
    expect(opened).toEqual(['a', 'b', 'c', 'b'])
    expect(warm.size).toBe(2)
    warm.close()
    clock.advance(1)
    expect(openSources()).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  test('of one client give way to its own, not to those of others', () => {
    const warm = new WarmCells({ clock, lingerMs: 10_000, maxCells: 100, maxCellsPerClient: 10 })
    warm.keep('of another', source('of another'), 'another')
    for (let i = 0; i < 1_000; i++) warm.keep(`random ${i}`, source(`random ${i}`), 'scanner')
    clock.settle()
    expect(openSources()).toBe(11)
    warm.keep('of another', source('of another'), 'scanner')
    expect(opened.filter(name => name === 'of another')).toHaveLength(1)
    warm.close()
  })
})
