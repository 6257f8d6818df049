import { describe, expect, it } from 'vitest'
import { Remembered } from '../../../proxy-client/cache/remembered.ts'

describe('what is remembered', () => {
  it('is found again', () => {
    const remembered = new Remembered<number>()
    expect(remembered.get('a')).toBeUndefined()
    expect(remembered.set('a', 1)).toBe(1)
    expect(remembered.get('a')).toBe(1)
  })

  it('stays while it is asked for, whatever else comes and goes', () => {
    const remembered = new Remembered<number>(10)
    remembered.set('regular', 0)
    for (let i = 1; i <= 100; i++) {
      remembered.set(`visitor ${i}`, i)
      expect(remembered.get('regular')).toBe(0)
    }
  })

  it('is at most twice its bound', () => {
    const remembered = new Remembered<number>(10)
    for (let i = 0; i < 100; i++) remembered.set(String(i), i)
    const found = Array.from({ length: 100 }, (_, i) => remembered.get(String(i))).filter(value => value !== undefined)
    expect(found.length).toBeGreaterThanOrEqual(10)
    expect(found.length).toBeLessThanOrEqual(20)
  })

  it('is less where keys are long, so that strangers cannot fill the memory with them', () => {
    const remembered = new Remembered<number>()
    const key = (i: number): string => String(i).padStart(8 * 1024)
    for (let i = 0; i < 500; i++) remembered.set(key(i), i)
    const found = Array.from({ length: 500 }, (_, i) => i).filter(i => remembered.get(key(i)) !== undefined)
    expect(found.length).toBeGreaterThanOrEqual(64)
    expect(found.length).toBeLessThanOrEqual(128)
    expect(found.at(-1)).toBe(499)
  })
})
