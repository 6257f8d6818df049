import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkDtab } from '../../naming/check-dtab.ts'
import { dtabFromJson, dtabToJson, showDtabJson } from '../../naming/dtab-json.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow, success } from '../../naming/result.ts'
import { dtabOf, seed, wildLabel } from './language.fixture.ts'

describe('a dtab as JSON', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(dtabOf(wildLabel), dtab => {
        expect(dtabFromJson(JSON.parse(JSON.stringify(dtabToJson(dtab))))).toEqual(success(dtab))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('has exact weights, or those of namerd', () => {
    const dtab = orThrow(parseDtab('/svc/*=>0.333*/a&/b'))
    expect(dtabToJson(dtab)).toEqual([{ prefix: '/svc/*', dst: '0.333*/a & /b' }])
    expect(showDtabJson(dtab)).toEqual([{ prefix: '/svc/*', dst: '0.33*/a & /b' }])
  })

  const good = { prefix: '/a', dst: '/b' }
  const refusals: readonly [string, unknown, string, object][] = [
    ['no array', { prefix: '/a', dst: '/b' }, 'bad-request', {}],
    ['null', null, 'bad-request', {}],
    ['a null entry', [good, null], 'bad-request', { index: 1 }],
    ['an array as entry', [[good]], 'bad-request', { index: 0 }],
    ['a string as entry', ['/a=>/b'], 'bad-request', { index: 0 }],
    ['a missing dst', [{ prefix: '/a' }], 'bad-request', { index: 0, field: 'dst' }],
    ['a null dst', [good, good, { prefix: '/a', dst: null }], 'bad-request', { index: 2, field: 'dst' }],
    ['a number as prefix', [{ prefix: 1, dst: '/b' }], 'bad-request', { index: 0, field: 'prefix' }],
    ['an unknown field', [{ ...good, note: 'x' }], 'bad-request', { index: 0, field: 'note' }],
    ['__proto__', JSON.parse('[{"prefix":"/a","dst":"/b","__proto__":{}}]'), 'bad-request', { field: '__proto__' }],
    ['a bad prefix', [{ prefix: 'a', dst: '/b' }], 'bad-dtab', { index: 0, field: 'prefix', position: { offset: 0 } }],
    ['a bad dst', [good, { prefix: '/a', dst: '/b |' }], 'bad-dtab', { index: 1, field: 'dst', expected: 'simple' }],
    ['a second dentry in a dst', [{ prefix: '/a', dst: '/b;/c=>/d' }], 'bad-dtab', { index: 0, field: 'dst' }],
  ]

  test.each(refusals)('is refused with %s, and the place is named', (_, value, code, detail) => {
    const result = dtabFromJson(value)
    expect(result.ok).toBe(false)
    if (!result.ok) expect(result.error).toMatchObject({ code, detail })
  })
})

describe('a dtab to be stored', () => {
  test('is refused when its text would have more terms than are read back', () => {
    const entry = { prefix: '/a', dst: '~|'.repeat(199_999).concat('~') }
    const dtabOfEntries = (count: number) => orThrow(dtabFromJson(new Array(count).fill(entry)))
    expect(checkDtab(dtabOfEntries(5)).ok).toBe(true)
    const refused = checkDtab(dtabOfEntries(6))
    expect(refused.ok).toBe(false)
    if (!refused.ok)
      expect(refused.error).toMatchObject({ code: 'bad-dtab', message: 'the dtab has more than 1000000 terms' })
  })

  test('passes with finite weights', () => {
    const dtab = orThrow(parseDtab(`/a=>${'9'.repeat(300)}*/b & 0*/c | !`))
    expect(checkDtab(dtab)).toEqual(success(dtab))
  })

  test('is refused with an infinite one, however deep, and the entry is named', () => {
    const result = checkDtab(orThrow(parseDtab(`/a=>/b;/x/*=>/c | (/d & (/e | ${'9'.repeat(400)}*/f & /g))`)))
    expect(result.ok).toBe(false)
    if (!result.ok) expect(result.error).toMatchObject({ code: 'bad-dtab', detail: { index: 1, prefix: '/x/*' } })
  })
})
