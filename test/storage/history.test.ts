import { beforeEach, describe, expect, it } from 'vitest'
import { formatDtabDiff } from '../../naming/dtab-diff.ts'
import { diffVersions, readHistory, readVersion } from '../../storage/history.ts'
import type { Store } from '../../storage/store.ts'
import { codeOf, request, type StoreFixture } from '../contract/store.contract.ts'
import { openMemoryFixture } from './store.fixture.ts'

describe('the history of a namespace', () => {
  let fixture: StoreFixture
  let store: Store
  beforeEach(async () => {
    fixture = await openMemoryFixture()
    store = fixture.store
    for (const text of ['/a=>/1;/b=>/2', '/a=>/1;/b=>/3', undefined, '/c=>/4']) await store.write(request('web', text))
    return () => fixture.close()
  })

  it('comes in pages, each with where the next begins', async () => {
    const first = await readHistory(store, 'web', { limit: 3 })
    expect(first.versions.map(({ version }) => version)).toEqual([4, 3, 2])
    expect(first.next).toBe(2)
    const second = await readHistory(store, 'web', { limit: 3, before: 2 })
    expect(second.versions.map(({ version }) => version)).toEqual([1])
    expect(second).not.toHaveProperty('next')
  })

  it('has no next page when the last one is exactly full', async () => {
    expect(await readHistory(store, 'web', { limit: 4 })).not.toHaveProperty('next')
  })

  it('is empty behind the end, and an error for a namespace that never was', async () => {
    expect((await readHistory(store, 'web', { limit: 3, before: 1 })).versions).toEqual([])
    expect(await codeOf(readHistory(store, 'never', { limit: 3 }))).toBe('dtab-not-found')
  })

  it('shows the difference of two versions, either way', async () => {
    const { from, to, lines } = await diffVersions(store, 'web', 1, 2)
    expect([from.version, to.version]).toEqual([1, 2])
    expect(formatDtabDiff(lines)).toBe('  /a => /1 ;\n- /b => /2 ;\n+ /b => /3 ;\n')
    expect(formatDtabDiff((await diffVersions(store, 'web', 2, 1)).lines)).toBe(
      '  /a => /1 ;\n- /b => /3 ;\n+ /b => /2 ;\n',
    )
  })

  it('takes a deletion as an empty dtab', async () => {
    expect(formatDtabDiff((await diffVersions(store, 'web', 3, 4)).lines)).toBe('+ /c => /4 ;\n')
  })

  it('tells a version that never was from a namespace that never was', async () => {
    expect(await codeOf(readVersion(store, 'web', 5))).toBe('version-not-found')
    expect(await codeOf(diffVersions(store, 'web', 1, 0))).toBe('version-not-found')
    expect(await codeOf(readVersion(store, 'never', 1))).toBe('dtab-not-found')
  })

  it('says which stored text does not parse, and where', async () => {
    await store.write(request('web', '/a => /b;\n/c'))
    await expect(diffVersions(store, 'web', 1, 5)).rejects.toMatchObject({
      code: 'store-corrupt',
      detail: { version: 5, position: { line: 2, column: 3 } },
    })
  })
})
