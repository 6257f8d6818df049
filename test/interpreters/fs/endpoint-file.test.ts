import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EndpointLines, parseEndpointFile } from '../../../interpreters/fs/endpoint-file.ts'

function parse(text: string): EndpointLines | string {
  const parsed = parseEndpointFile(text, '/disco/web')
  return parsed.ok ? parsed.value : parsed.error.message
}

describe('the text of a discovery file', () => {
  it.each([
    ['10.0.0.1 80\n', [{ host: '10.0.0.1', port: 80, weight: 1 }]],
    ['10.0.0.1 80', [{ host: '10.0.0.1', port: 80, weight: 1 }]],
    ['  ::1\t65535 * 0.5  # half\r\n', [{ host: '::1', port: 65_535, weight: 0.5 }]],
    ['web.example.org 1*2\n', [{ host: 'web.example.org', port: 1, weight: 2 }]],
    ['\uFEFF# nothing here\n\n   \n', []],
    ['', []],
    ['a 1\na 1\n', [{ host: 'a', port: 1, weight: 1 }]],
    [
      'a 1\nb 1\na 1 * 3\n',
      [
        { host: 'a', port: 1, weight: 3 },
        { host: 'b', port: 1, weight: 1 },
      ],
    ],
  ])('%j gives its endpoints', (text, lines) => {
    expect(parse(text)).toEqual(lines)
  })

  it.each([
    '10.0.0.1',
    '10.0.0.1:80',
    '10.0.0.1 0',
    '10.0.0.1 65536',
    '10.0.0.1 -1',
    '10.0.0.1 80 90',
    '10.0.0.1 80 *',
    '10.0.0.1 80 * 0',
    '10.0.0.1 80 * -1',
    '10.0.0.1 80 * 1e999',
    '10.0.0.1 80 * Infinity',
    '10.0.0.256 80',
    '10.0.0 80',
    '[::1] 80',
    '-web 80',
    'we/b 80',
  ])('%j is malformed, and its line number is told', line => {
    expect(parse(`10.0.0.9 80\n\n${line}\nworse\n`)).toBe(`malformed address: ${line} (/disco/web, line 3)`)
  })

  it('does not repeat a long line', () => {
    expect(parse('x'.repeat(10_000)).length).toBeLessThan(300)
  })

  it('reads back what was written', () => {
    const line = fc.record({
      host: fc.oneof(
        fc.ipV4(),
        fc.ipV6().filter(host => !host.includes('%')),
        fc.domain(),
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
      weight: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    })
    const lines = fc.uniqueArray(line, { selector: ({ host, port }) => `${host} ${port}` })
    const property = fc.property(lines, written => {
      const text = written.map(({ host, port, weight }) => `${host} ${port} * ${weight}\n`).join('')
      expect(parse(text)).toEqual(written)
    })
    fc.assert(property, { seed: 4140, numRuns: 200 })
  })
})
