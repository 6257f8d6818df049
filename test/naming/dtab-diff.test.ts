import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dtab } from '../../naming/dtab.ts'
import { alignDtabs } from '../../naming/dtab-alignment.ts'
import { changedPrefixes, diffDtabs, formatDtabDiff } from '../../naming/dtab-diff.ts'
import { dtabEquals, nameTreeEquals } from '../../naming/equal.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { dtabOf, editedDtab, fewLabels, pathOf, seed } from './language.fixture.ts'
import { naiveLookup } from './naive-lookup.fixture.ts'

const twoDtabs = fc.oneof(editedDtab(20), fc.record({ before: dtabOf(fewLabels, 8), after: dtabOf(fewLabels, 8) }))

function table(size: number, edits: Readonly<Record<number, string>> = {}): Dtab {
  return orThrow(parseDtab(Array.from({ length: size }, (_, i) => edits[i] ?? `/svc/${i}=>/host/${i}`).join(';')))
}

describe('changed prefixes', () => {
  test('hold every path that looks up differently', () => {
    fc.assert(
      fc.property(
        twoDtabs,
        fc.array(pathOf(fewLabels), { minLength: 5, maxLength: 10 }),
        ({ before, after }, paths) => {
          const changed = changedPrefixes(before, after)
          for (const path of paths) {
            const isSame = nameTreeEquals(naiveLookup(before, path), naiveLookup(after, path))
            if (!isSame) expect(changed.matches(path)).toBe(true)
          }
        },
      ),
      { seed, numRuns: 300 },
    )
  })

  test('are empty for equal dtabs', () => {
    const changed = changedPrefixes(table(100), table(100))
    expect(changed.isEmpty).toBe(true)
    expect(changed.matches(['svc', '5'])).toBe(false)
  })

  test('hold every path when very many entries are gone, which costs no more than one question', () => {
    const changed = changedPrefixes(table(30_000), [])
    expect([changed.isEmpty, changed.matches(['any', 'path'])]).toEqual([false, true])
  })

  test('hold only what was touched when entries far apart are edited', () => {
    const changed = changedPrefixes(table(1_000), table(1_000, { 3: '/svc/3=>/host/b', 990: '/svc/*/canary=>!' }))
    expect(changed.isEmpty).toBe(false)
    const touched = [
      ['svc', '3', 'r'],
      ['svc', '990'],
      ['svc', '7', 'canary'],
    ]
    expect(touched.filter(path => changed.matches(path))).toEqual(touched)
    expect([['svc', '4'], ['svc', '7', 'x'], ['other'], []].filter(path => changed.matches(path))).toEqual([])
  })

  test('hold both places of an entry that moved past another', () => {
    const [before, after] = [orThrow(parseDtab('/a=>/x;/a=>/y')), orThrow(parseDtab('/a=>/y;/a=>/x'))]
    expect(changedPrefixes(before, after).matches(['a'])).toBe(true)
  })
})

describe('an alignment', () => {
  test('leaves the same entries in both dtabs', () => {
    fc.assert(
      fc.property(twoDtabs, ({ before, after }) => {
        const { removed, added } = alignDtabs(before, after)
        const keptBefore = before.filter((_, index) => !removed.includes(index))
        const keptAfter = after.filter((_, index) => !added.includes(index))
        expect(dtabEquals(keptBefore, keptAfter)).toBe(true)
      }),
      { seed, numRuns: 300 },
    )
  })

  test('keeps as many entries as can be kept when none repeats', () => {
    const order = fc.shuffledSubarray([...Array(12).keys()])
    const longestCommon = (a: readonly number[], b: readonly number[]): number => {
      const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
      for (const [i, x] of a.entries()) {
        for (const [j, y] of b.entries()) {
          const row = best[i + 1] ?? []
          row[j + 1] = x === y ? (best[i]?.[j] ?? 0) + 1 : Math.max(best[i]?.[j + 1] ?? 0, row[j] ?? 0)
        }
      }
      return best[a.length]?.[b.length] ?? 0
    }
    fc.assert(
      fc.property(order, order, (a, b) => {
        const dtabOfNumbers = (numbers: readonly number[]): Dtab =>
          orThrow(parseDtab(numbers.map(n => `/${n}=>/x`).join(';')))
        expect(a.length - alignDtabs(dtabOfNumbers(a), dtabOfNumbers(b)).removed.length).toBe(longestCommon(a, b))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('of tables with one entry ten thousand times over ends', () => {
    const repeated = (count: number, last: string): Dtab => orThrow(parseDtab(`${'/a=>/b;'.repeat(count)}${last}`))
    const { removed, added } = alignDtabs(repeated(10_000, '/x=>/1'), repeated(9_000, '/x=>/2;/a=>/b'))
    expect([removed.length, added.length]).toEqual([1_000, 1])
  })
})

describe('a diff for people', () => {
  const before = orThrow(parseDtab('/a=>/1;/b=>0.333*/2&/3;/c=>/4'))
  const after = orThrow(parseDtab('/a=>/1;/b=>0.5*/2&/3;/c=>/4;/d=>/5'))

  test('has every entry in order, what was removed before what came in its place', () => {
    expect(formatDtabDiff(diffDtabs(before, after))).toBe(
      '  /a => /1 ;\n- /b => 0.333*/2 & /3 ;\n+ /b => 0.5*/2 & /3 ;\n  /c => /4 ;\n+ /d => /5 ;\n',
    )
  })

  test('can leave out what was kept', () => {
    expect(formatDtabDiff(diffDtabs(after, before), { changesOnly: true })).toBe(
      '- /b => 0.5*/2 & /3 ;\n+ /b => 0.333*/2 & /3 ;\n- /d => /5 ;\n',
    )
  })

  test('holds both dtabs', () => {
    fc.assert(
      fc.property(twoDtabs, pair => {
        const lines = diffDtabs(pair.before, pair.after)
        const without = (change: string): Dtab => lines.filter(line => line.change !== change).map(line => line.dentry)
        expect(dtabEquals(without('added'), pair.before)).toBe(true)
        expect(dtabEquals(without('removed'), pair.after)).toBe(true)
      }),
      { seed, numRuns: 200 },
    )
  })
})
