// What every store keeps of the past.
import { expect } from 'vitest'
import type { Store } from '../../storage/store.ts'
import { request, type StoreCase } from './store.contract.ts'

async function writeMany(store: Store, ns: string, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await store.write(request(ns, `/a=>/b${i}`, { message: `m${i}` }))
}

const numbers = (versions: readonly { readonly version: number }[]): number[] => versions.map(({ version }) => version)

export const historyCases: readonly StoreCase[] = [
  {
    title: 'has an empty history for a namespace that never was',
    run: async ({ store }, ns) => expect(await store.history(ns, { limit: 10 })).toEqual([]),
  },
  {
    title: 'lists the newest version first, without texts, and says how large each is',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 3)
      const history = await store.history(ns, { limit: 10 })
      expect(numbers(history)).toEqual([3, 2, 1])
      for (const version of history) {
        expect(version).toMatchObject({
          namespace: ns,
          deleted: false,
          bytes: 7,
          meta: { message: `m${version.version}` },
        })
        expect(version).not.toHaveProperty('text')
      }
    },
  },
  {
    title: 'gives no more versions than asked for',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 5)
      expect(numbers(await store.history(ns, { limit: 2 }))).toEqual([5, 4])
    },
  },
  {
    title: 'pages through the whole history, each version once',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 7)
      const seen: number[] = []
      for (let before = 8; before > 1; ) {
        const page = numbers(await store.history(ns, { before, limit: 3 }))
        seen.push(...page)
        before = page.at(-1) ?? 0
      }
      expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1])
    },
  },
  {
    title: 'has nothing before version 1',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 2)
      expect(await store.history(ns, { before: 1, limit: 10 })).toEqual([])
    },
  },
  {
    title: 'takes a `before` in the future as the newest',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 2)
      expect(numbers(await store.history(ns, { before: 1_000, limit: 10 }))).toEqual([2, 1])
    },
  },
  {
    title: 'keeps the texts from before a deletion',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 2)
      await store.write(request(ns, undefined))
      const history = await store.history(ns, { limit: 10 })
      expect(history.map(({ deleted, bytes }) => [deleted, bytes])).toEqual([
        [true, 0],
        [false, 7],
        [false, 7],
      ])
      expect((await store.version(ns, 1))?.text).toBe('/a=>/b1')
    },
  },
  {
    title: 'gives one old version as it was',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 3)
      expect(await store.version(ns, 2)).toMatchObject({
        version: 2,
        text: '/a=>/b2',
        meta: { message: 'm2', parent: 1 },
      })
    },
  },
  {
    title: 'gives a tombstone by its number, without a text',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 1)
      const { written } = await store.write(request(ns, undefined))
      expect(await store.version(ns, 2)).toEqual(written)
      expect(written).not.toHaveProperty('text')
    },
  },
  {
    title: 'has no version under a number that was not given out',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 1)
      for (const version of [0, 2, -1]) expect(await store.version(ns, version)).toBeUndefined()
      expect(await store.version(`${ns}-other`, 1)).toBeUndefined()
    },
  },
]
