import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Dtab, prefixMatches } from '../../naming/dtab.ts'
import {
  chainLookupIndexes,
  createLookupIndex,
  createLookupIndexBuilder,
  type LookupIndex,
} from '../../naming/lookup-index.ts'
import { parseDentry, parseDtab } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { orThrow } from '../../naming/result.ts'
import { dtabOf, editedDtab, fewLabels, pathOf, seed } from './language.fixture.ts'
import { naiveLookup } from './naive-lookup.fixture.ts'

const somePaths = fc.array(pathOf(fewLabels, 5), { minLength: 1, maxLength: 8 })

function expectNaive(index: LookupIndex, dtab: Dtab, paths: readonly Path[]): void {
  for (const path of paths) {
    expect(index.lookup(path)).toEqual(naiveLookup(dtab, path))
    const dentries = dtab.filter(dentry => prefixMatches(dentry.prefix, path)).reverse()
    expect(index.matches(path)).toEqual(dentries)
  }
}

describe('a lookup index', () => {
  test('answers as the entries one by one would', () => {
    fc.assert(
      fc.property(dtabOf(fewLabels, 40), somePaths, (dtab, paths) => {
        expectNaive(createLookupIndex(dtab), dtab, paths)
      }),
      { seed, numRuns: 200 },
    )
  })

  test('of an edited dtab answers the same whether it was made afresh or from the one before, which stays as it was', () => {
    fc.assert(
      fc.property(editedDtab(40), somePaths, ({ before, after }, paths) => {
        const first = createLookupIndex(before)
        expectNaive(createLookupIndex(after, first), after, paths)
        expectNaive(first, before, paths)
      }),
      { seed, numRuns: 100 },
    )
  })

  test('survives thousands of edits at one place, long after the ranks between two neighbours are used up', () => {
    let dtab: Dtab = orThrow(parseDtab('/a=>/first;/a=>/last'))
    let index = createLookupIndex(dtab)
    for (let n = 0; n < 300; n++) {
      dtab = dtab.toSpliced(1, 0, orThrow(parseDentry(`/a=>/x${n}`)))
      index = createLookupIndex(dtab, index)
    }
    expectNaive(index, dtab, [['a'], ['a', 'b']])
    while (dtab.length > 1) {
      dtab = dtab.toSpliced(dtab.length >> 1, 1)
      index = createLookupIndex(dtab, index)
    }
    expectNaive(index, dtab, [['a'], ['b']])
  })

  test('is compiled in slices of the size asked for', () => {
    const dtab = orThrow(parseDtab(Array.from({ length: 1_000 }, (_, i) => `/svc/${i}/*=>/host/${i}`).join(';')))
    const builder = createLookupIndexBuilder(dtab)
    let turns = 1
    let index = builder.build(100)
    for (; index === 'more'; turns++) index = builder.build(100)
    expect(turns).toBe(10)
    expectNaive(index, dtab, [
      ['svc', '7', 'x', 'y'],
      ['svc', '999'],
      ['svc', '1000', 'x'],
    ])
  })

  test('recompiles one entry for an edit of one', () => {
    const dtab = orThrow(parseDtab(Array.from({ length: 1_000 }, (_, i) => `/svc/${i}=>/host/${i}`).join(';')))
    const edited = dtab.with(500, orThrow(parseDentry('/svc/new=>/host/new')))
    const builder = createLookupIndexBuilder(edited, createLookupIndex(dtab))
    expect(builder.build(1)).toBe('more')
    const index = builder.build(1)
    expect(index).not.toBe('more')
    if (index !== 'more')
      expectNaive(index, edited, [
        ['svc', 'new'],
        ['svc', '500'],
        ['svc', '501', 'r'],
      ])
  })

  test('copes with prefixes of any length', () => {
    const long = Array.from({ length: 100_000 }, () => 'a')
    const dtab: Dtab = Array.from({ length: 20 }, (_, i) => ({
      prefix: [...long, i % 2 === 0 ? null : String(i)],
      dst: { kind: 'leaf', value: [String(i)] },
    }))
    const index = createLookupIndex(dtab)
    expect(index.matches([...long, '3', 'rest'])).toHaveLength(11)
    expect(index.matches(long)).toHaveLength(0)
  })

  test('chained to another answers as the concatenation', () => {
    fc.assert(
      fc.property(dtabOf(fewLabels, 10), dtabOf(fewLabels, 4), somePaths, (base, local, paths) => {
        const chained = chainLookupIndexes(createLookupIndex(base), createLookupIndex(local))
        expectNaive(chained, [...base, ...local], paths)
        expect(chained.dtab).toEqual([...base, ...local])
      }),
      { seed, numRuns: 200 },
    )
  })
})
