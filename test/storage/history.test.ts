import { beforeEach, describe, expect, it } from 'vitest'
import { readHistory, readVersion } from '../../storage/history.ts'
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

  it('tells a version that never was from a namespace that never was', async () => {
    expect(await codeOf(readVersion(store, 'web', 5))).toBe('version-not-found')
    expect(await codeOf(readVersion(store, 'never', 1))).toBe('dtab-not-found')
  })
})
