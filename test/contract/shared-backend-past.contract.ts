// What a shared backend keeps of old versions and of idempotency keys.
import { expect } from 'vitest'
import { commitOver, type SharedBackendCase, versionOf } from './shared-backend.contract.ts'

const hourMs = 60 * 60 * 1000
const numbers = (versions: readonly { readonly version: number }[]): number[] => versions.map(({ version }) => version)

export const pastCases: readonly SharedBackendCase[] = [
  {
    title: 'has no past of a namespace that never was',
    run: async ({ backend }, ns) => {
      expect(await backend.readVersion(ns, 1)).toBeUndefined()
      expect(await backend.readHistory(ns, { limit: 10 })).toEqual([])
      expect(await backend.readKey(ns, 'k')).toBeUndefined()
    },
  },
  {
    title: 'lists the newest versions first, page by page, with their sizes and without their texts',
    run: async ({ backend, other }, ns) => {
      for (let i = 1; i <= 4; i++) await commitOver(backend, versionOf(ns, i, i === 3 ? undefined : `/a=>/b${i}`))
      const newest = await other.readHistory(ns, { limit: 3 })
      expect(numbers(newest)).toEqual([4, 3, 2])
      expect(newest.map(({ deleted, bytes }) => [deleted, bytes])).toEqual([
        [false, 7],
        [true, 0],
        [false, 7],
      ])
      expect(newest[0]).not.toHaveProperty('text')
      expect(newest[0]?.meta).toEqual(versionOf(ns, 4, '').meta)
      expect(numbers(await other.readHistory(ns, { before: 2, limit: 3 }))).toEqual([1])
    },
  },
  {
    title: 'gives an old version and a tombstone as they were',
    run: async ({ backend, other }, ns) => {
      const versions = [versionOf(ns, 1, '/a=>/b # 😀\n'), versionOf(ns, 2, undefined), versionOf(ns, 3, '')]
      for (const version of versions) await commitOver(backend, version)
      for (const version of versions) expect(await other.readVersion(ns, version.version)).toEqual(version)
      expect(await other.readVersion(ns, 4)).toBeUndefined()
    },
  },
  {
    title: 'keeps namespaces apart whose names begin alike',
    run: async ({ backend }, ns) => {
      for (const name of [ns, `${ns}.a`, `${ns}-a`, `${ns}a`, `${ns}A`])
        await commitOver(backend, versionOf(name, 1, `/${name.length}=>/b`))
      await backend.dropVersions(`${ns}.a`, [1])
      for (const name of [ns, `${ns}-a`, `${ns}a`, `${ns}A`]) {
        expect((await backend.readVersion(name, 1))?.namespace).toBe(name)
        expect(numbers(await backend.readHistory(name, { limit: 10 }))).toEqual([1])
      }
    },
  },
  {
    title: 'takes a namespace with the longest name there may be',
    run: async ({ backend }, ns) => {
      const long = `${ns}${'.Long-name_'.repeat(30)}`.slice(0, 253)
      await commitOver(backend, versionOf(long, 1, '/a=>/b'))
      expect((await backend.readHead(long)).record?.version).toBe(1)
      expect((await backend.readVersion(long, 1))?.text).toBe('/a=>/b')
    },
  },
  {
    title: 'remembers a key with the version that it made, for that namespace alone',
    run: async ({ backend, other }, ns) => {
      const keyed = versionOf(ns, 1, '/a=>/b', { idempotencyKey: 'a key / with "odd" letters ñ' })
      await commitOver(backend, keyed, undefined, 'print')
      const known = await other.readKey(ns, 'a key / with "odd" letters ñ')
      expect(known).toEqual({ fingerprint: 'print', version: 1, time: keyed.meta.time })
      expect(await other.readKey(`${ns}-other`, 'a key / with "odd" letters ñ')).toBeUndefined()
      expect((await other.readVersion(ns, 1))?.meta.idempotencyKey).toBe('a key / with "odd" letters ñ')
    },
  },
  {
    title: 'lets a key that ran out be used again',
    run: async ({ backend }, ns) => {
      await commitOver(backend, versionOf(ns, 1, '/a=>/b', { idempotencyKey: 'k' }), undefined, 'one')
      await commitOver(backend, versionOf(ns, 2, '/a=>/b', { idempotencyKey: 'k' }), undefined, 'two')
      expect(await backend.readKey(ns, 'k')).toMatchObject({ fingerprint: 'two', version: 2 })
    },
  },
  {
    title: 'drops keys from before a time, and keeps later ones and the versions',
    fresh: true,
    run: async ({ backend }, ns) => {
      const old = versionOf(ns, 1, '/a=>/b', { idempotencyKey: 'old' })
      await commitOver(backend, old, undefined, 'print')
      const time = old.meta.time + hourMs
      await commitOver(backend, versionOf(ns, 2, '/a=>/b', { idempotencyKey: 'new', time }), undefined, 'print')
      await backend.dropKeys(time)
      expect(await backend.readKey(ns, 'old')).toBeUndefined()
      expect(await backend.readKey(ns, 'new')).toMatchObject({ version: 2 })
      expect(numbers(await backend.readHistory(ns, { limit: 10 }))).toEqual([2, 1])
    },
  },
  {
    title: 'drops old versions for good, and takes one that is gone as nothing',
    run: async ({ backend, other }, ns) => {
      for (let i = 1; i <= 5; i++) await commitOver(backend, versionOf(ns, i, `/a=>/b${i}`))
      await backend.dropVersions(ns, [1, 3])
      await backend.dropVersions(ns, [1, 99])
      await backend.dropVersions(`${ns}-other`, [1])
      expect(numbers(await other.readHistory(ns, { limit: 10 }))).toEqual([5, 4, 2])
      expect(await other.readVersion(ns, 3)).toBeUndefined()
      expect(numbers(await other.readHistory(ns, { before: 4, limit: 1 }))).toEqual([2])
    },
  },
  {
    title: 'drops hundreds of versions in one call',
    run: async ({ backend }, ns) => {
      const old = Array.from({ length: 300 }, (_, i) => i + 1)
      for (let i = 0; i < old.length; i += 20)
        await Promise.all(old.slice(i, i + 20).map(version => backend.putVersion(versionOf(ns, version, '/a=>/b'))))
      const over = await backend.readHead(ns)
      await backend.commit({ over, version: versionOf(ns, 301, '/a=>/b'), endsImport: true })
      expect(await backend.readHistory(ns, { limit: 400 })).toHaveLength(301)
      await backend.dropVersions(ns, old)
      expect(numbers(await backend.readHistory(ns, { limit: 400 }))).toEqual([301])
    },
  },
  {
    title: 'shows nothing of versions that were put before there is a head, and all of them with it',
    run: async ({ backend, other }, ns) => {
      const before = await backend.readHead(ns)
      await backend.putVersion(versionOf(ns, 2, '/a=>/b2'))
      await backend.putVersion(versionOf(ns, 5, undefined))
      expect(await other.readHistory(ns, { limit: 10 })).toEqual([])
      expect(await other.readVersion(ns, 2)).toBeUndefined()
      expect(await other.readHead(ns)).not.toHaveProperty('record')
      await backend.commit({ over: before, version: versionOf(ns, 9, '/a=>/b9'), endsImport: true })
      expect(numbers(await other.readHistory(ns, { limit: 10 }))).toEqual([9, 5, 2])
      expect(await other.readVersion(ns, 5)).toEqual(versionOf(ns, 5, undefined))
    },
  },
  {
    title: 'writes a version that is put over what an earlier import left',
    run: async ({ backend }, ns) => {
      await backend.putVersion(versionOf(ns, 1, '/left=>/over'))
      await backend.putVersion(versionOf(ns, 1, '/a=>/b'))
      await backend.commit({ over: await backend.readHead(ns), version: versionOf(ns, 2, '/a=>/c'), endsImport: true })
      expect((await backend.readVersion(ns, 1))?.text).toBe('/a=>/b')
    },
  },
  {
    title: 'shows nothing of an import that was cut off once somebody else has made the first version',
    run: async ({ backend, other }, ns) => {
      for (const version of [1, 2, 3, 6]) await backend.putVersion(versionOf(ns, version, '/left=>/over'))
      await commitOver(other, versionOf(ns, 1, '/a=>/b'))
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([1])
      for (let version = 2; version <= 7; version++) await commitOver(other, versionOf(ns, version, `/a=>/b${version}`))
      await other.dropVersions(ns, [1, 2, 5])
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([7, 6, 4, 3])
      expect(await backend.readVersion(ns, 2)).toBeUndefined()
      expect((await backend.readVersion(ns, 6))?.text).toBe('/a=>/b6')
    },
  },
  {
    title: 'shows nothing of an import that was cut off below a first version with a greater number',
    run: async ({ backend, other }, ns) => {
      for (const version of [1, 2, 3]) await backend.putVersion(versionOf(ns, version, '/left=>/over'))
      await commitOver(other, versionOf(ns, 4, '/a=>/b', { parent: 0 }))
      await commitOver(other, versionOf(ns, 5, '/a=>/c'))
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([5, 4])
      expect(numbers(await backend.readHistory(ns, { before: 4, limit: 9 }))).toEqual([])
      for (const version of [1, 2, 3]) expect(await backend.readVersion(ns, version)).toBeUndefined()
      await other.dropVersions(ns, [4])
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([5])
    },
  },
  {
    title: 'drops what an import has put while somebody looked at a namespace that never was',
    run: async ({ backend, other }, ns) => {
      const over = await other.readHead(ns)
      for (const version of [1, 2]) await backend.putVersion(versionOf(ns, version, '/left=>/over'))
      await commitOver(other, versionOf(ns, 1, '/a=>/b'), over)
      await commitOver(other, versionOf(ns, 2, '/a=>/c'))
      expect((await backend.readVersion(ns, 1))?.text).toBe('/a=>/b')
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([2, 1])
    },
  },
  {
    title: 'drops what is left over, and nothing that counts',
    run: async ({ backend, other }, ns) => {
      for (const version of [1, 2]) await backend.putVersion(versionOf(ns, version, '/left=>/over'))
      await other.dropLeftOvers(ns)
      for (const version of [2, 5]) await backend.putVersion(versionOf(ns, version, '/a=>/b', { parent: version - 2 }))
      const version = versionOf(ns, 7, '/a=>/c', { parent: 5 })
      await backend.commit({ over: await backend.readHead(ns), version, endsImport: true })
      await other.dropLeftOvers(ns)
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([7, 5, 2])
      await commitOver(other, versionOf(ns, 8, '/a=>/d'))
      await other.dropLeftOvers(ns)
      expect(numbers(await backend.readHistory(ns, { limit: 9 }))).toEqual([8, 7, 5, 2])
      expect(await backend.readVersion(ns, 1)).toBeUndefined()
      expect((await backend.readVersion(ns, 2))?.text).toBe('/a=>/b')
    },
  },
  {
    title: 'puts nothing in the place of a version that was a head',
    run: async ({ backend, other }, ns) => {
      await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await commitOver(backend, versionOf(ns, 2, '/a=>/c'))
      for (const version of [1, 2])
        await expect(other.putVersion(versionOf(ns, version, '/left=>/over'))).rejects.toMatchObject({
          code: 'dtab-exists',
        })
      expect((await backend.readVersion(ns, 1))?.text).toBe('/a=>/b')
      expect((await backend.readVersion(ns, 2))?.text).toBe('/a=>/c')
    },
  },
]
