import { describe, expect, it } from 'vitest'
import { destinationLines } from '../../../proxy-client/headers/destination-lines.ts'

describe('the lines that tell where a request was led', () => {
  it('name the service and the client, and what else there is', () => {
    const names = { service: '/svc/web', client: '/#/fs/web', residual: [], dtab: '' }
    expect(destinationLines(names)).toBe('l5d-dst-service: /svc/web\r\nl5d-dst-client: /#/fs/web\r\n')
    expect(destinationLines({ ...names, residual: ['svc', 'E'], dtab: '/a => /b' })).toBe(
      'l5d-dst-service: /svc/web\r\nl5d-dst-client: /#/fs/web\r\nl5d-dst-residual: /svc/E\r\nl5d-ctx-dtab: /a => /b\r\n',
    )
  })

  it('keep to one line each whatever the residual holds', () => {
    const lines = destinationLines({ service: '/s', client: '/c', residual: ['a\r\nX: y'], dtab: '' })
    expect(lines.split('\r\n')).toHaveLength(4)
  })
})
