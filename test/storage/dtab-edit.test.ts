import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dtabEquals } from '../../naming/equal.ts'
import { formatDtab } from '../../naming/format.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { applyEdits, type DtabEdit, editDtabText } from '../../storage/dtab-edit.ts'

const edited = (text: string, ...edits: DtabEdit[]): string => orThrow(editDtabText(text, edits)).text
const refusal = (text: string, ...edits: DtabEdit[]) => {
  const result = editDtabText(text, edits)
  return result.ok ? undefined : { code: result.error.code, message: result.error.message, op: result.error.detail.op }
}

const typed = `# who may go where
/svc/a => /#/io.l5d.fs/a ; # the first
# about b
/svc/b => /x | # in the middle
  /y;/svc/c=>/z # the last`

describe('edits of single entries', () => {
  it('set replaces one entry where it stands and leaves every other character', () => {
    expect(edited(typed, { op: 'set', prefix: '/svc/b', dst: '/q' })).toBe(
      typed.replace('/svc/b => /x | # in the middle\n  /y', '/svc/b => /q'),
    )
  })

  it('set appends a prefix that is not there', () => {
    expect(edited('/a => /b', { op: 'set', prefix: '/c', dst: '/d' })).toBe('/a => /b ;\n/c => /d ;\n')
    expect(edited('/a => /b ;\n', { op: 'set', prefix: '/c', dst: '/d' })).toBe('/a => /b ;\n/c => /d ;\n')
    expect(edited('', { op: 'set', prefix: '/c', dst: '/d' })).toBe('/c => /d ;\n')
  })

  it('insert without an anchor appends, even a prefix that is there', () => {
    expect(edited('/a => /b ;\n', { op: 'insert', prefix: '/a', dst: '/c' })).toBe('/a => /b ;\n/a => /c ;\n')
  })

  it('insert puts an entry before or after its anchor', () => {
    const text = '/a => /1 ;\n/b => /2 ;\n'
    expect(edited(text, { op: 'insert', prefix: '/n', dst: '/3', before: '/b' })).toBe(
      '/a => /1 ;\n/n => /3 ;\n/b => /2 ;\n',
    )
    expect(edited(text, { op: 'insert', prefix: '/n', dst: '/3', after: '/a' })).toBe(
      '/a => /1 ;\n/n => /3 ;\n/b => /2 ;\n',
    )
    expect(edited(text, { op: 'insert', prefix: '/n', dst: '/3', before: '/a' })).toBe(
      '/n => /3 ;\n/a => /1 ;\n/b => /2 ;\n',
    )
  })

  it('insert after a last entry without a semicolon closes it before its comment', () => {
    expect(edited('/a => /1 # one', { op: 'insert', prefix: '/n', dst: '/2', after: '/a' })).toBe(
      '/a => /1 ; # one\n/n => /2 ;\n',
    )
  })

  it('remove takes the entry with the comments above it and behind it', () => {
    expect(edited('# a\n/a => /1 ; # one\n# b\n/b => /2 ;\n# end\n', { op: 'remove', prefix: '/b' })).toBe(
      '# a\n/a => /1 ; # one\n# end\n',
    )
  })

  it('remove of the only entry leaves an empty dtab', () => {
    expect(orThrow(editDtabText('/a => /1', [{ op: 'remove', prefix: '/a' }]))).toEqual({ dtab: [], text: '' })
  })

  it('take an entry of a repeated prefix by its occurrence, from 0', () => {
    const text = '/a => /1 ;\n/a => /2 ;\n'
    expect(edited(text, { op: 'set', prefix: '/a', dst: '/3', index: 1 })).toBe('/a => /1 ;\n/a => /3 ;\n')
    expect(edited(text, { op: 'remove', prefix: '/a', index: 0 })).toBe('/a => /2 ;\n')
    expect(edited(text, { op: 'insert', prefix: '/n', dst: '/3', after: '/a', index: 0 })).toBe(
      '/a => /1 ;\n/n => /3 ;\n/a => /2 ;\n',
    )
  })

  it('run in order, each on what the one before left', () => {
    const edits: DtabEdit[] = [
      { op: 'set', prefix: '/n', dst: '/1' },
      { op: 'insert', prefix: '/m', dst: '/2', before: '/n' },
      { op: 'remove', prefix: '/n' },
    ]
    expect(edited('', ...edits)).toBe('/m => /2 ;\n')
  })

  it.each<[string, DtabEdit, string, RegExp]>([
    [
      'a repeated prefix without an index',
      { op: 'set', prefix: '/a', dst: '/3' },
      'edit-conflict',
      /2 entries have the prefix \/a/,
    ],
    ['an index that is not there', { op: 'remove', prefix: '/a', index: 2 }, 'edit-conflict', /occurs 2 times/],
    [
      'the removal of what is not there',
      { op: 'remove', prefix: '/b' },
      'edit-conflict',
      /no entry with the prefix \/b/,
    ],
    ['an index of what is not there', { op: 'set', prefix: '/b', dst: '/c', index: 0 }, 'edit-conflict', /no entry/],
    [
      'an absent anchor',
      { op: 'insert', prefix: '/n', dst: '/m', after: '/b' },
      'edit-conflict',
      /no entry with the prefix \/b/,
    ],
    ['two anchors', { op: 'insert', prefix: '/n', dst: '/m', after: '/a', before: '/a' }, 'bad-request', /not both/],
    ['a prefix that does not parse', { op: 'remove', prefix: 'a' }, 'bad-prefix', /expected/],
    ['an anchor that does not parse', { op: 'insert', prefix: '/n', dst: '/m', before: '' }, 'bad-prefix', /expected/],
    ['a tree that does not parse', { op: 'set', prefix: '/n', dst: '/m |' }, 'bad-tree', /expected/],
    ['two entries in one', { op: 'set', prefix: '/n', dst: '/m; /o => /p' }, 'bad-tree', /end of input/],
  ])('refuse %s, with the index of the edit, and do nothing of the others', (_what, edit, code, message) => {
    const found = refusal('/a => /1; /a => /2', { op: 'set', prefix: '/fine', dst: '/x' }, edit)
    expect(found).toMatchObject({ code, op: 1 })
    expect(found?.message).toMatch(message)
  })

  it('match prefixes by meaning, wildcards as themselves', () => {
    expect(edited('/\\x61/* => /1 ;\n', { op: 'set', prefix: '/a/*', dst: '/2' })).toBe('/a/* => /2 ;\n')
  })

  it('give the same dtab as text and as entries, whatever comments and blanks stand between', () => {
    const name = fc.constantFrom('/a', '/b', '/svc/#/c', '/*/d')
    const blanks = fc.constantFrom('', ' ', '\n', ' # note; /x => /y\n', '\t#\n')
    const entry = fc.tuple(blanks, name, blanks, fc.constantFrom('/x', '0.5*/x & /y', '~ | $', '(/x|!)'), blanks)
    const edit: fc.Arbitrary<DtabEdit> = fc.oneof(
      fc.record({ op: fc.constant('set' as const), prefix: name, dst: fc.constantFrom('/n', '/n | /m') }),
      fc.record({
        op: fc.constant('insert' as const),
        prefix: name,
        dst: fc.constant('/n'),
        before: name,
        index: fc.nat(1),
      }),
      fc.record({ op: fc.constant('insert' as const), prefix: name, dst: fc.constant('/n'), after: name }),
      fc.record({ op: fc.constant('remove' as const), prefix: name, index: fc.nat(1) }),
    )
    const check = (entries: readonly (readonly string[])[], end: string, edits: readonly DtabEdit[]): void => {
      const text = entries.map(([a, prefix, b, dst, c]) => `${a}${prefix} ${b}=>${dst} ${c}`).join(';') + end
      const parsed = parseDtab(text)
      if (!parsed.ok) return
      const byEntries = applyEdits(parsed.value, edits)
      const byText = editDtabText(text, edits)
      expect(byText.ok).toBe(byEntries.ok)
      if (!byText.ok || !byEntries.ok) return
      expect(formatDtab(byText.value.dtab)).toBe(formatDtab(byEntries.value))
      expect(dtabEquals(orThrow(parseDtab(byText.value.text)), byEntries.value)).toBe(true)
    }
    const property = fc.property(
      fc.array(entry, { maxLength: 5 }),
      fc.constantFrom('', ';', ' # end', ';\n'),
      fc.array(edit, { maxLength: 3 }),
      check,
    )
    fc.assert(property, { seed: 5, numRuns: 300 })
  })
})
