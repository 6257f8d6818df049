import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDentry, formatPrefix } from '../../naming/format.ts'
import { parseDtab } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { editDtabText } from '../../storage/dtab-edit.ts'
import { DtabEntries } from '../../storage/dtab-entries.ts'
import { type Segment, segmentFromDentry } from '../../storage/dtab-segments.ts'

const segment = (prefix: string, dst: number): Segment => {
  const [dentry] = orThrow(parseDtab(`${prefix} => /d${dst}`))
  if (dentry === undefined) throw new Error('no entry')
  return segmentFromDentry(dentry)
}
const shown = (segments: readonly Segment[]): readonly string[] => segments.map(({ dentry }) => formatDentry(dentry))
const prefixOf = ({ dentry }: Segment): string => formatPrefix(dentry.prefix)

const prefix = fc.constantFrom('/a', '/b', '/c/*')
const act = fc.record({
  kind: fc.constantFrom('append', 'before', 'before', 'after', 'after', 'replace', 'remove'),
  at: prefix,
  occurrence: fc.nat(3),
  prefix,
})

describe('the entries of a dtab under edit', () => {
  it('do what an array does, whatever the order of edits', () => {
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 6 }), fc.array(act, { maxLength: 60 }), (start, acts) => {
        let array = start.map(segment)
        const entries = new DtabEntries(array)
        for (const [n, { kind, at, occurrence, prefix: added }] of acts.entries()) {
          const anchor = segment(at, 0).dentry.prefix
          const expected = array.flatMap((each, i) => (prefixOf(each) === at ? [i] : []))
          const places = entries.find(anchor)
          expect(places.map(place => place.segment)).toEqual(expected.map(i => array[i]))
          const index = expected[occurrence]
          const place = places[occurrence]
          const next = segment(kind === 'replace' ? at : added, n)
          if (kind === 'append') {
            entries.append(next)
            array = [...array, next]
          }
          if (index === undefined || place === undefined) continue
          if (kind === 'before') entries.insertBefore(place, next)
          if (kind === 'before') array = array.toSpliced(index, 0, next)
          if (kind === 'after') entries.insertAfter(place, next)
          if (kind === 'after') array = array.toSpliced(index + 1, 0, next)
          if (kind === 'replace') entries.replace(place, next)
          if (kind === 'replace') array = array.with(index, next)
          if (kind === 'remove') entries.remove(place)
          if (kind === 'remove') array = array.toSpliced(index, 1)
        }
        expect(shown(entries.toArray())).toEqual(shown(array))
      }),
      { seed: 12, numRuns: 300 },
    )
  })

  it('keep their order when hundreds are put at one place', () => {
    const entries = new DtabEntries([segment('/a', 0), segment('/b', 0)])
    for (let n = 1; n <= 300; n++) {
      const [place] = entries.find(segment('/b', 0).dentry.prefix)
      if (place === undefined) throw new Error('lost')
      entries.insertBefore(place, segment('/a', n))
    }
    const added = Array.from({ length: 301 }, (_, n) => `/a => /d${n}`)
    expect(shown(entries.toArray())).toEqual([...added, '/b => /d0'])
    const places = entries.find(segment('/a', 0).dentry.prefix)
    expect(shown(places.map(place => place.segment))).toEqual(added)
  })

  it('are found without a scan: forty thousand edits of one dtab end at once', () => {
    const edits = Array.from({ length: 40_000 }, (_, n) => ({ op: 'set' as const, prefix: `/svc/${n}`, dst: '/b' }))
    expect(orThrow(editDtabText('/svc => /x', edits)).dtab.length).toBe(40_001)
  })
})
