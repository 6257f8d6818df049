import { describe, expect, it } from 'vitest'
import { withoutBlanks } from '../../../proxy-client/http1/blanks.ts'
import { connectionOptions } from '../../../proxy-client/http1/connection.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import { announcedBody } from '../../../proxy-client/http1/framing.ts'

describe('blanks around the elements of a list', () => {
  it.each([
    ['', ''],
    [' \t ', ''],
    ['a', 'a'],
    [' a\tb\t', 'a\tb'],
    ['\u00a0a ', '\u00a0a'],
  ])('of %j leave %j', (text, left) => {
    expect(withoutBlanks(text)).toBe(left)
  })

  it('cost no more than their number within an element', () => {
    const value = `a${' '.repeat(1_000_000)}b`
    expect(connectionOptions(fieldsOf([['Connection', value]]))).toMatchObject({ kind: 'malformed' })
    const coded = fieldsOf([['Transfer-Encoding', value]])
    expect(announcedBody(coded, 0, 1)).toMatchObject({ kind: 'malformed' })
  })
})
