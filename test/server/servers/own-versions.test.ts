import { describe, expect, it } from 'vitest'
import { OwnVersions } from '../../../server/servers/own-versions.ts'
import type { NamespaceSummary } from '../../../storage/store.ts'

const listing = (versions: Readonly<Record<string, number>>): readonly NamespaceSummary[] =>
  Object.entries(versions).map(([namespace, version]) => ({
    namespace,
    version,
    deleted: false,
    author: 'ann',
    verified: false,
    message: '',
    time: 0,
    bytes: 1,
  }))

function watched(): { readonly own: OwnVersions; readonly told: string[] } {
  const own = new OwnVersions()
  const told: string[] = []
  own.watch(changed => void told.push([...changed].join(' ')))
  return { own, told }
}

describe('the versions that a server goes by', () => {
  it('are whole with the first listing, an empty one too', () => {
    const { own, told } = watched()
    expect(own.isWhole()).toBe(false)
    own.takeListing([])
    expect([own.isWhole(), told]).toEqual([true, ['']])
  })

  it('are those of the listing where no rules are in use, and only news is told', () => {
    const { own, told } = watched()
    own.takeListing(listing({ a: 1, b: 1 }))
    own.takeListing(listing({ a: 1, b: 2 }))
    own.takeListing(listing({ a: 1, b: 2 }))
    own.takeListing(listing({ b: 2, c: 5 }))
    expect(told).toEqual(['a b', 'b', 'c a'])
    expect([...own.versions]).toEqual([
      ['b', 2],
      ['c', 5],
    ])
  })

  it('are those of the rules where they are in use, be they behind', () => {
    const { own, told } = watched()
    own.takeListing(listing({ a: 1 }))
    own.takeInUse('a', 1)
    own.takeListing(listing({ a: 2 }))
    expect([own.of('a'), told]).toEqual([1, ['a']])
    own.takeInUse('a', 2)
    own.takeInUse('a', undefined)
    expect([own.of('a'), told]).toEqual([2, ['a', 'a']])
  })

  it('leave out a namespace that never was, though rules of it are in use', () => {
    const { own, told } = watched()
    own.takeListing([])
    own.takeInUse('nope', 0)
    expect([[...own.namespaces()], told]).toEqual([[], ['']])
  })

  it('give those in use first when only some are asked for', () => {
    const { own } = watched()
    own.takeListing(listing({ a: 1, b: 1, c: 1 }))
    own.takeInUse('c', 1)
    own.takeInUse('nope', 0)
    expect([...own.first(2)]).toEqual([
      ['c', 1],
      ['a', 1],
    ])
  })

  it('are read of what is new in a listing alone, for each write gives one of all namespaces', () => {
    const { own, told } = watched()
    let reads = 0
    const counted = (summary: NamespaceSummary): NamespaceSummary => ({
      ...summary,
      get version() {
        reads++
        return summary.version
      },
    })
    const before = listing(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`n${n}`, 1]))).map(counted)
    own.takeListing(before)
    reads = 0
    own.takeListing(before.toSpliced(7, 1, ...listing({ n7: 2 }).map(counted)))
    expect([reads, told.at(-1)]).toEqual([1, 'n7'])
  })
})
