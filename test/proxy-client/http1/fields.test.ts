import { describe, expect, it } from 'vitest'
import { Field, fieldNames } from '../../../proxy-client/http1/fields.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'

const some = fieldsOf([
  ['Host', 'web'],
  ['X-A', '1'],
  ['Connection', 'x-b'],
  ['x-b', '2'],
  ['X-a', '3'],
  ['Via', ''],
])

describe('fields', () => {
  it('tell names as sent, and values by names in lower case', () => {
    expect(some.size).toBe(6)
    expect([some.nameAt(4), some.valueAt(4), some.valueAt(5)]).toEqual(['X-a', '3', ''])
    expect([some.first('x-a'), some.first('host'), some.first('x-c'), some.first('date')]).toEqual([
      '1',
      'web',
      undefined,
      undefined,
    ])
    expect([some.all('x-a'), some.all('x-c'), some.all('te')]).toEqual([['1', '3'], [], []])
  })

  it('give their lines without those that are dropped, by bit and by name', () => {
    expect(some.lines(0)).toBe('Host: web\r\nX-A: 1\r\nConnection: x-b\r\nx-b: 2\r\nX-a: 3\r\nVia: \r\n')
    expect(some.lines(Field.date)).toBe(some.lines(0))
    expect(some.lines(Field.host | Field.via)).toBe('X-A: 1\r\nConnection: x-b\r\nx-b: 2\r\nX-a: 3\r\n')
    expect(some.lines(Field.connection, new Set(['x-a', 'x-b']))).toBe('Host: web\r\nVia: \r\n')
    expect(some.lines(Field.host | Field.connection | Field.via, new Set(['x-a', 'x-b']))).toBe('')
  })

  it('know every known name in any case, and the rest of ours by its prefix', () => {
    for (const [name, bit] of Object.entries(fieldNames)) {
      expect(fieldsOf([[name.toUpperCase(), '1']]).present, name).toBe(bit)
      expect(fieldsOf([[`${name}x`, '1']]).present & ~(Field.otherL5d | Field.otherContext), name).toBe(0)
    }
    expect(fieldsOf([['L5d-Ctx-Other', '']]).present).toBe(Field.otherContext)
    expect(fieldsOf([['l5d-sample', '']]).present).toBe(Field.otherL5d)
    expect(fieldsOf([['l5d', '']]).present | fieldsOf([['x-l5d-dtab', '']]).present).toBe(0)
  })

  it('cannot be made of what may not be sent', () => {
    for (const [name, value] of [
      ['', '1'],
      ['a b', '1'],
      ['a', '1\r\nb: 2'],
      ['a', '1\r\n\r\nb'],
      ['a', '\0'],
    ] as const) {
      expect(() => fieldsOf([[name, value]])).toThrow('cannot be sent')
    }
    expect(fieldsOf([]).lines(0)).toBe('')
  })
})
