import { describe, expect, it } from 'vitest'
import { createGate } from '../../../runtime/hosts/gate.ts'

describe('a gate', () => {
  it('lets no more than its limit through at once, in order, also after a failure', async () => {
    const gate = createGate(2)
    const begun: number[] = []
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<number>())
    const results = ends.map(({ promise }, task) =>
      gate(() => {
        begun.push(task)
        return promise
      }),
    )
    const failing = expect(results[1]).rejects.toThrow('no answer')
    expect(begun).toEqual([0, 1])
    ends[1]?.reject(new Error('no answer'))
    await failing
    expect(begun).toEqual([0, 1, 2])
    for (const [task, { resolve }] of ends.entries()) resolve(task)
    expect(await Promise.all(results.filter((_, task) => task !== 1))).toEqual([0, 2, 3, 4])
    expect(begun).toEqual([0, 1, 2, 3, 4])
    expect(await gate(async () => 'free again')).toBe('free again')
  })
})
