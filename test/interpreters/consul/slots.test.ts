import { describe, expect, it } from 'vitest'
import { Slots } from '../../../interpreters/consul/slots.ts'

describe('places', () => {
  it('are given up to the limit, then in the order of asking', () => {
    const slots = new Slots(2)
    const called: string[] = []
    const asks = (name: string): boolean => slots.take(() => void called.push(name))
    expect([asks('a'), asks('b'), asks('c'), asks('d')]).toEqual([true, true, false, false])
    slots.free()
    expect([called, slots.waiting]).toEqual([['c', 'd'], 0])
  })

  it('go to the next in line when the first who is called takes none', () => {
    const slots = new Slots(1)
    const taken: string[] = []
    const takes = (name: string) => (): void => {
      if (slots.take(takes(name))) taken.push(name)
    }
    takes('a')()
    slots.take(() => {})
    takes('b')()
    takes('c')()
    slots.free()
    expect([taken, slots.waiting, slots.taken]).toEqual([['a', 'b'], 1, 1])
  })

  it('are not offered to one who no longer waits', () => {
    const slots = new Slots(1)
    const called: string[] = []
    const tell = (): void => void called.push('b')
    slots.take(() => {})
    slots.take(tell)
    slots.forget(tell)
    slots.free()
    expect([called, slots.taken]).toEqual([[], 0])
  })
})
