import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dtab } from '../../naming/dtab.ts'
import { dtabEquals } from '../../naming/equal.ts'
import type { NamingError } from '../../naming/errors.ts'
import { formatDtab } from '../../naming/format.ts'
import { createDtabParser, parseDentry, parseDtab, parseNameTree, parsePath, parsePrefix } from '../../naming/parse.ts'
import { orThrow, type Result } from '../../naming/result.ts'
import { showDtab } from '../../naming/show.ts'
import { dtabOf, fewLabels, seed } from './language.fixture.ts'

function errorOf(result: Result<unknown>): NamingError {
  if (result.ok) throw new Error('the text was accepted')
  return result.error
}

describe('syntax errors', () => {
  const parsers = { path: parsePath, prefix: parsePrefix, tree: parseNameTree, dentry: parseDentry, dtab: parseDtab }
  const table: readonly [keyof typeof parsers, string, string, number, number, string][] = [
    ['path', '', "'/'", 1, 1, "'/' expected but end of input found at '[]'"],
    ['path', 'web', "'/'", 1, 1, "'/' expected but 'w' found at '[w]eb'"],
    ['path', '/a//b', 'label char', 1, 4, "label char expected but '/' found at '/a/[/]b'"],
    ['path', '/a/', 'label char', 1, 4, "label char expected but end of input found at '/a/[]'"],
    ['path', '/*', 'end of input', 1, 2, "end of input expected but '*' found at '/[*]'"],
    ['path', '/\\x4g', 'hex char', 1, 5, "hex char expected but 'g' found at '/\\x4[g]'"],
    ['path', '/\\X41', "'x'", 1, 3, "'x' expected but 'X' found at '/\\[X]41'"],
    ['path', '/a\n /b', 'end of input', 2, 2, "end of input expected but '/' found at '/a\n [/]b'"],
    ['path', '/a\uffff', 'end of input', 1, 3, "end of input expected but end of input found at '/a[\uffff]'"],
    ['prefix', '/b*', 'end of input', 1, 3, "end of input expected but '*' found at '/b[*]'"],
    ['tree', '()', 'simple', 1, 2, "simple expected but ')' found at '([)]'"],
    ['tree', '(/a', "')'", 1, 4, "')' expected but end of input found at '(/a[]'"],
    ['tree', '1..2*/a', 'number char', 1, 3, "number char expected but '.' found at '1.[.]2*/a'"],
    ['tree', '.*/a', 'weight', 1, 2, "weight expected but '.' found at '.[*]/a'"],
    ['tree', '1 /a', "'*'", 1, 3, "'*' expected but '/' found at '1 [/]a'"],
    ['tree', '/a |\n# why\n  ;', 'simple', 3, 3, "simple expected but ';' found at '/a |\n# why\n  [;]'"],
    ['dentry', '/a= >/b', "'>'", 1, 4, "'>' expected but ' ' found at '/a=[ ]>/b'"],
    ['dentry', '/a=>/b;', 'end of input', 1, 7, "end of input expected but ';' found at '/a=>/b[;]'"],
    ['dtab', '/a=>', 'simple', 1, 5, "simple expected but end of input found at '/a=>[]'"],
    ['dtab', '/a=>/b;;', "'/'", 1, 8, "'/' expected but ';' found at '/a=>/b;[;]'"],
    ['dtab', '/a=>/b\n/c=>/d', 'end of input', 2, 1, "end of input expected but '/' found at '/a=>/b\n[/]c=>/d'"],
  ]

  test.each(table)('a %s %j wants %s in line %i, column %i', (kind, text, expected, line, column, message) => {
    const error = errorOf(parsers[kind](text))
    expect(error.message).toBe(message)
    expect(error.detail.expected).toBe(expected)
    expect(error.detail.position).toMatchObject({ line, column })
  })

  test('the code says what was being read', () => {
    const codes = [parsePath('x'), parsePrefix('x'), parseNameTree('x'), parseDentry('x'), parseDtab('x')]
    expect(codes.map(result => errorOf(result).code)).toEqual([
      'bad-path',
      'bad-prefix',
      'bad-tree',
      'bad-dtab',
      'bad-dtab',
    ])
  })

  test('of a long text only the surroundings are quoted, the position is that in the whole', () => {
    const error = errorOf(parseDtab(`${'/svc/name=>/host;\n'.repeat(5_000)}/broken`))
    expect(error.message.length).toBeLessThan(400)
    expect(error.message).toContain('…')
    expect(error.message).toContain('/broken[]')
    expect(error.detail.position).toEqual({ offset: 90_007, line: 5_001, column: 8 })
  })

  test('parentheses nest a thousand deep and no deeper', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}/a${')'.repeat(depth)}`
    expect(parseNameTree(nested(1_000)).ok).toBe(true)
    const error = errorOf(parseNameTree(nested(1_001)))
    expect(error.detail).toMatchObject({
      expected: 'no more than 1000 nested parentheses',
      position: { offset: 1_000 },
    })
  })
})

test('no text of the language characters makes a parser throw', () => {
  const pieces = '/ ( ) | & ! ~ $ * => = > ; # \\x41 \\ a .5 1. 0 \n \uffff \u00e9 svc'.split(' ')
  const text = fc.array(fc.constantFrom(...pieces, ' '), { maxLength: 30 }).map(parts => parts.join(''))
  // The library's unit for this makes a table of a million entries first.
  const anyCharacter = fc.nat(0x10ffff).map(code => String.fromCodePoint(code))
  fc.assert(
    fc.property(fc.oneof(text, fc.string(), fc.string({ unit: anyCharacter })), input => {
      for (const parse of [parsePath, parsePrefix, parseNameTree, parseDentry, parseDtab]) {
        const result = parse(input)
        if (result.ok) continue
        const { position } = result.error.detail
        expect(position?.offset).toBeLessThanOrEqual(input.length)
        expect(result.error.message).toMatch(/ expected but .* found at '/s)
      }
    }),
    { seed, numRuns: 300 },
  )
})

describe('parsing in slices', () => {
  function parseInSlices(text: string, slice: number, previous?: Dtab): { result: Result<Dtab>; turns: number } {
    const parser = createDtabParser(text, previous)
    for (let turns = 1; ; turns++) {
      const result = parser.parse(slice)
      if (result !== 'more') return { result, turns }
    }
  }

  test('gives what one go gives, whatever the slice', () => {
    fc.assert(
      fc.property(dtabOf(fewLabels), fc.integer({ min: 1, max: 5 }), fc.nat(), (dtab, slice, cut) => {
        const text = showDtab(dtab)
        for (const input of [text, text.slice(0, cut % (text.length + 1))]) {
          expect(parseInSlices(input, slice).result).toEqual(parseDtab(input))
        }
      }),
      { seed, numRuns: 300 },
    )
  })

  test('does no more terms in a turn than it was allowed', () => {
    const text = Array.from({ length: 100 }, (_, i) => `/svc/${i} => /a | /b & (/c | /d)`).join(';')
    expect(parseInSlices(text, 50).turns).toBeGreaterThanOrEqual(10)
    expect(parseInSlices(`/x => ${'(/a & '.repeat(500)}~${')'.repeat(500)}`, 50).turns).toBeGreaterThanOrEqual(20)
  })

  test('says the outcome again when it is asked again', () => {
    const parser = createDtabParser('/a=>/b')
    expect(parser.parse(10)).toBe(parser.parse(10))
  })
})

describe('parsing an edited text', () => {
  const lines = Array.from({ length: 4_500 }, (_, i) => `/svc/${i} => /host/${i} # it is ${i}; yes`)
  const text = lines.join('\n;')

  test('shares every entry that did not change', () => {
    const before = orThrow(parseDtab(text))
    const after = orThrow(parseDtab(text.replace('/host/200 ', '/host/other '), before))
    expect(formatDtab(after)).toBe(formatDtab(before).replace('/host/200 ', '/host/other '))
    expect(after.filter((dentry, index) => dentry !== before[index])).toHaveLength(1)
  })

  test('counts the terms of what it shares, too', () => {
    const wide = (terms: number): string => `/w => ${'~|'.repeat(terms - 1)}~`
    const before = orThrow(parseDtab(`${text}\n; ${wide(600_000)} ; /x => /y`))
    const after = `${text.replace('/host/200 ', '/host/other ')}\n; ${wide(396_000)} ; ${wide(600_000)} ; /x => /y`
    const [afresh, reused] = [parseDtab(after), parseDtab(after, before)]
    expect(reused.ok).toBe(false)
    expect(errorOf(reused)).toEqual(errorOf(afresh))
    const fits = after.replace(wide(396_000), wide(390_000))
    expect(orThrow(parseDtab(fits, before))).toHaveLength(4_503)
  })

  test('gives the same outcome as reading all of it, for any edit', () => {
    const before = orThrow(parseDtab(text))
    const patch = fc.constantFrom(
      '',
      ';',
      '#',
      '\n',
      '/x=>/y',
      ';/x=>/y;',
      ' => ',
      '(',
      ')',
      '/svc/1 => /host/1;',
      '!',
      '\uffff',
    )
    const edit = fc.record({ at: fc.nat({ max: text.length }), cut: fc.nat({ max: 60 }), patch })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), edits => {
        let edited = text
        for (const { at, cut, patch } of edits) edited = edited.slice(0, at) + patch + edited.slice(at + cut)
        const [afresh, reused] = [parseDtab(edited), parseDtab(edited, before)]
        expect(reused.ok).toBe(afresh.ok)
        if (afresh.ok && reused.ok) expect(dtabEquals(afresh.value, reused.value)).toBe(true)
        else expect(errorOf(reused)).toEqual(errorOf(afresh))
      }),
      { seed, numRuns: 60 },
    )
  })
})
