import { describe, expect, test } from 'vitest'
import type { Dtab } from '../../naming/dtab.ts'
import { changedPrefixes, diffDtabs } from '../../naming/dtab-diff.ts'
import { formatDtab } from '../../naming/format.ts'
import { createLookupIndex } from '../../naming/lookup-index.ts'
import { createDtabParser, parseDtab, parseNameTree, parsePath, parsePrefix } from '../../naming/parse.ts'
import { orThrow, type Result } from '../../naming/result.ts'
import { simplifyDtab } from '../../naming/simplify.ts'

/** Where one more step for each character would already take hours. */
const size = 2_000_000
/** A text of more terms than are read. */
const beyondTermLimit = (piece: string): number => 1_010_000 * piece.length

function filled(piece: string, length = size): string {
  return piece.repeat(Math.floor(length / piece.length))
}

/** Millions of characters in the place of a destination. */
function asDestination(piece: string, length = size): string {
  return `/a=>${filled(piece, length)}`
}

function refusalOf(result: Result<unknown>): { offset: number; expected: string } {
  if (result.ok) throw new Error('the text was accepted')
  expect(result.error.message.length).toBeLessThan(1_000)
  return { offset: result.error.detail.position?.offset ?? -1, expected: result.error.detail.expected ?? '' }
}

describe('O2: megabytes of', () => {
  test.each<[string, () => string, number, string]>([
    ['(', () => filled('('), 0, "'/'"],
    ['( as a destination', () => asDestination('('), 1_004, 'no more than 1000 nested parentheses'],
    ['weighted (', () => asDestination('1*('), 4 + 3 * 1_000 + 2, 'no more than 1000 nested parentheses'],
    ['nested unions', () => asDestination('(/a&'), 4 + 4 * 1_000, 'no more than 1000 nested parentheses'],
    ['nested alternatives', () => asDestination('/b|('), 4 + 4 * 1_000 + 3, 'no more than 1000 nested parentheses'],
    ['/a=>', () => filled('/a=>'), 6, 'end of input'],
    [';', () => filled(';'), 0, "'/'"],
    ['\\x', () => `/${filled('\\x')}`, 3, 'hex char'],
    ['\\', () => `/${filled('\\')}`, 2, "'x'"],
    ['|', () => asDestination('|'), 4, 'simple'],
    ['entries', () => filled('/a=>/b;', beyondTermLimit('/a=>/b;')), 7 * 1_000_000 + 4, 'no more than 1000000 terms'],
    ['digits', () => asDestination('9'), size + 4, "'*'"],
    ['dots', () => asDestination('.'), 5, 'number char'],
    ['!', () => asDestination('!'), 5, 'end of input'],
    ['slashes', () => filled('/'), 1, "'='"],
    ['slashes after a label', () => `/a${filled('/')}`, 3, 'label char'],
    ['blanks', () => `${filled(' ')}x`, size, "'/'"],
    ['comments without a newline, after junk', () => `x${filled('#')}`, 0, "'/'"],
    ['one-line comments', () => `${filled('#\n')}x`, size, "'/'"],
    ['U+FFFF', () => filled('\uffff'), 0, "'/'"],
    ['surrogates', () => `/${filled('\ud800')}`, 1, "'='"],
  ])('%s is refused at the place where it goes wrong', (_, text, offset, expected) => {
    expect(refusalOf(parseDtab(text()))).toEqual({ offset, expected })
  })

  test('one label is read, and a path of very many', () => {
    const labels = size / 10
    expect(parsePath('/a'.repeat(labels))).toMatchObject({ ok: true, value: { length: labels } })
    expect(parsePrefix('/*'.repeat(labels))).toMatchObject({ ok: true, value: { length: labels } })
    const label = parsePath(`/${filled('\\x00')}`)
    expect(label.ok && label.value[0]?.length).toBe(size / 4)
    expect(parseNameTree(`#${filled('(')}`).ok).toBe(false)
  })

  test('& is refused at the place where it goes wrong, having been read in bounded turns', () => {
    const parser = createDtabParser(asDestination('/a&', beyondTermLimit('/a&')))
    let turns = 0
    while (parser.parse(10_000) === 'more') turns++
    expect(turns).toBeGreaterThanOrEqual(99)
    expect(turns).toBeLessThanOrEqual(101)
    const outcome = parser.parse(1)
    if (outcome === 'more') throw new Error('the outcome is not said again')
    expect(refusalOf(outcome)).toEqual({ offset: 4 + 3 * 1_000_000, expected: 'no more than 1000000 terms' })
  })
})

describe('O2: an accepted table that is built to be costly', () => {
  const wide = orThrow(parseDtab(`/a=>${'/b | '.repeat(50_000)}/c;/a/*=>${'/b & '.repeat(50_000)}/c`))
  const nested = orThrow(parseDtab(`/a=>${'(/b | (/c & '.repeat(500)}/d${'))'.repeat(500)}`))
  const repeated = orThrow(parseDtab('/a/b=>/c;'.repeat(50_000)))
  const wildcards = orThrow(
    parseDtab(
      Array.from({ length: 4_096 }, (_, n) => {
        const elems = Array.from({ length: 12 }, (_, bit) => ((n >> bit) & 1 ? '*' : 'a'))
        return `/${elems.join('/')}=>/${n}`
      }).join(';'),
    ),
  )

  test.each<[string, Dtab, number]>([
    ['wide', wide, 2],
    ['nested', nested, 1],
    ['one prefix many times', repeated, 50_000],
    ['every mix of wildcards', wildcards, 4_096],
  ])('%s: is compiled, looked up, compared, simplified and written', (_, dtab, matches) => {
    const path = ['a', 'b', ...'aaaaaaaaaaaa']
    const hit = dtab === wildcards ? [...'aaaaaaaaaaaa'] : path
    const index = createLookupIndex(dtab)
    expect(index.matches(hit)).toHaveLength(matches)
    expect(index.lookup(hit).kind).toBe('alt')
    const edited = dtab.slice(1)
    expect(createLookupIndex(edited, index).matches(hit)).toHaveLength(matches - 1)
    expect(changedPrefixes(dtab, edited).matches(hit)).toBe(true)
    expect(diffDtabs(dtab, simplifyDtab(dtab))).toHaveLength(dtab.length)
    expect(parseDtab(formatDtab(dtab))).toMatchObject({ ok: true, value: { length: dtab.length } })
  })
})
