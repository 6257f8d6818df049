import { describe, expect, it } from 'vitest'
import { callDepth } from '../../../proxy-client/headers/via.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'

describe('the call depth of a request', () => {
  it('is how many proxies its Via lines name', () => {
    expect(callDepth(fieldsOf([['Host', 'web']]))).toBe(0)
    expect(callDepth(fieldsOf([['Via', '1.1 a']]))).toBe(1)
    expect(
      callDepth(
        fieldsOf([
          ['Via', '1.1 a, 1.0 b'],
          ['via', '1.1 c'],
        ]),
      ),
    ).toBe(3)
  })
})
