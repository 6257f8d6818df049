import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesFromIp, ipFromBytes } from '../../proto/ip-bytes.ts'
import { doubleText } from '../../proto/scala-text.ts'

describe('IP addresses', () => {
  test('are the same after a way through bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
        expect(bytesFromIp(ipFromBytes(bytes))).toEqual(bytes)
      }),
      { seed: 20_260_101, numRuns: 100 },
    )
    expect(bytesFromIp('10.0.255.1')).toEqual(Uint8Array.of(10, 0, 255, 1))
  })

  test.each([
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::', '::'],
    ['2001:DB8::', '2001:db8::'],
    ['fe80:0:0:1:0:0:0:2', 'fe80:0:0:1::2'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ])('%s is read, and shown as %s', (text, shown) => {
    expect(ipFromBytes(bytesFromIp(text) ?? new Uint8Array())).toBe(shown)
  })

  test('with a zone, and names, are none', () => {
    expect(['fe80::1%eth0', 'web.local', '1.2.3', ''].map(bytesFromIp)).toEqual(Array(4).fill(undefined))
  })
})

test('doubles are printed as Scala prints them', () => {
  const values = [2, 0.5, 0, 1e7, 9_999_999, 0.001, 0.00015, 12_345_678.5, Number.POSITIVE_INFINITY]
  expect(values.map(doubleText)).toEqual([
    '2.0',
    '0.5',
    '0.0',
    '1.0E7',
    '9999999.0',
    '0.001',
    '1.5E-4',
    '1.23456785E7',
    'Infinity',
  ])
})
