import { describe, expect, it } from 'vitest'
import { locationBack, refreshBack } from '../../../proxy-client/headers/host-rewrite.ts'

const rewrite = { authority: 'inner:80', host: 'web' }

describe('what an upstream says of its own host', () => {
  it.each([
    ['http://inner:80', 'http://web'],
    ['https://Inner:80?x=http://inner:80', 'https://web?x=http://inner:80'],
    ['http://inner:80/a#b', 'http://web/a#b'],
    ['/a', '/a'],
    ['http://inner/a', 'http://inner/a'],
    ['http://inner:8080/a', 'http://inner:8080/a'],
    ['//inner:80/a', '//inner:80/a'],
    ['', ''],
  ])('turns the Location %j into %j', (value, expected) => {
    expect(locationBack(value, rewrite)).toBe(expected)
  })

  it('leaves a Location as it is where the client named no host', () => {
    expect(locationBack('http://inner:80/a', { ...rewrite, host: '' })).toBe('http://inner:80/a')
  })

  it.each([
    ['0;URL=http://inner:80/', '0;URL=http://web/'],
    ['5', '5'],
    ['5; url=/a', '5; url=/a'],
  ])('turns the Refresh %j into %j', (value, expected) => {
    expect(refreshBack(value, rewrite)).toBe(expected)
  })
})
