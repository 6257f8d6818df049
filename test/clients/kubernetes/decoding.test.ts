import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from '../../../clients/kubernetes/line-splitter.ts'
import { isOlder, newer } from '../../../clients/kubernetes/resource-version.ts'

describe('resourceVersions', () => {
  it('are ordered as big integers', () => {
    const numbers = fc.bigInt({ min: 0n, max: 2n ** 70n })
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        expect(isOlder(String(a), String(b))).toBe(a < b)
        expect(newer(String(a), String(b))).toBe(String(a > b ? a : b))
      }),
      { seed: 1 },
    )
  })

  it('have no order when one is not a decimal number', () => {
    for (const odd of ['', 'abc', '01', '-1', '1.5', '0x1']) {
      expect([isOlder(odd, '5'), isOlder('5', odd)]).toEqual([false, false])
    }
  })
})

describe('lines of a stream', () => {
  it('are the same wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), (texts, cuts) => {
        const lines = texts.map(text => text.replaceAll('\n', ' ')).filter(text => text !== '')
        const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
        const splitter = new LineSplitter()
        const found: string[] = []
        let from = 0
        for (const size of [...cuts, bytes.length]) {
          for (const line of splitter.push(bytes.subarray(from, from + size))) found.push(line.toString())
          from += size
        }
        expect(found).toEqual(lines)
        expect(splitter.isWithinLine).toBe(false)
      }),
      { seed: 1 },
    )
  })

  it('may end within one', () => {
    const splitter = new LineSplitter()
    expect([...splitter.push(Buffer.from('a\nb'))].map(String)).toEqual(['a'])
    expect(splitter.isWithinLine).toBe(true)
  })
})
