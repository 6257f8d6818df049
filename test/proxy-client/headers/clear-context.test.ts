import { describe, expect, it } from 'vitest'
import { withoutContext } from '../../../proxy-client/headers/clear-context.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'

describe('clearContext', () => {
  it('drops every l5d-* field of a client, whatever its case, and keeps the rest as it is', () => {
    const fields = fieldsOf([
      ['Host', 'web'],
      ['L5D-dtab', '/a=>/b'],
      ['l5d-ctx-anything', 'x'],
      ['x-l5d-y', '1'],
      ['l5d-name', '/z'],
      ['l5d-ctx-deadline', '1 2'],
      ['X', 'y'],
    ])
    const cleared = withoutContext(fields)
    expect(cleared.lines(0)).toBe('Host: web\r\nx-l5d-y: 1\r\nX: y\r\n')
    expect(cleared.first('l5d-dtab')).toBeUndefined()
  })

  it('costs nothing where there is none', () => {
    const fields = fieldsOf([['Host', 'web']])
    expect(withoutContext(fields)).toBe(fields)
  })
})
