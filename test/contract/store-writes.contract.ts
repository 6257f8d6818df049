// What every store does with a write: numbers, expectations, tombstones, races.
import { expect } from 'vitest'
import { codeOf, request, type StoreCase } from './store.contract.ts'

const at = (...versions: number[]) => ({ expect: { kind: 'version', versions } }) as const
const absent = { expect: { kind: 'absent' } } as const
const present = { expect: { kind: 'present' } } as const

export const writeCases: readonly StoreCase[] = [
  {
    title: 'has no head for a namespace that never was',
    run: async ({ store }, ns) => expect(await store.head(ns)).toBeUndefined(),
  },
  {
    title: 'numbers the first version 1 and gives it no parent',
    run: async ({ store }, ns) => {
      const { written, replaced, repeated } = await store.write(request(ns, '/a=>/b'))
      expect(written).toMatchObject({ namespace: ns, version: 1, text: '/a=>/b', meta: { parent: 0 } })
      expect(replaced).toBeUndefined()
      expect(repeated).toBe(false)
    },
  },
  {
    title: 'gives as head exactly what was written',
    run: async ({ store }, ns) => {
      const { written } = await store.write(request(ns, '/a=>/b', { author: 'bo', verified: true, message: 'why' }))
      expect(await store.head(ns)).toEqual(written)
      expect(written.meta).toMatchObject({ author: 'bo', verified: true, message: 'why' })
    },
  },
  {
    title: 'keeps the address that a write came from, and shows it in the history and the listing',
    run: async ({ store, until }, ns) => {
      const address = '2001:db8::7'
      const { written } = await store.write(request(ns, '/a=>/b', { address }))
      expect(written.meta.address).toBe(address)
      expect(await store.version(ns, 1)).toEqual(written)
      expect((await store.history(ns, { limit: 1 }))[0]?.meta.address).toBe(address)
      await store.write(request(`${ns}-none`, '/a=>/b'))
      expect((await store.head(`${ns}-none`))?.meta).not.toHaveProperty('address')
      const cell = store.list()
      const stop = cell.watch(() => {})
      const listed = () => {
        const state = cell.peek()
        return state.kind === 'ok' ? state.value.find(({ namespace }) => namespace === ns) : undefined
      }
      await until('the listing', () => listed() !== undefined)
      expect(listed()?.address).toBe(address)
      stop()
    },
  },
  {
    title: 'stamps a version with the time of the write',
    fresh: true,
    run: async ({ store, age }, ns) => {
      const first = await store.write(request(ns, '/a=>/b'))
      await age(5_000)
      const second = await store.write(request(ns, '/a=>/c'))
      expect(second.written.meta.time - first.written.meta.time).toBeGreaterThanOrEqual(5_000)
    },
  },
  {
    title: 'counts up, names the parent and shows what was replaced',
    run: async ({ store }, ns) => {
      const first = await store.write(request(ns, '/a=>/b'))
      const second = await store.write(request(ns, '/a=>/c'))
      expect(second.written).toMatchObject({ version: 2, meta: { parent: 1 } })
      expect(second.replaced).toEqual(first.written)
    },
  },
  {
    title: 'makes a version even when the text is the same',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect((await store.write(request(ns, '/a=>/b'))).written.version).toBe(2)
    },
  },
  {
    title: 'numbers each namespace by itself',
    run: async ({ store }, ns) => {
      await store.write(request(`${ns}-x`, '/a=>/b'))
      await store.write(request(`${ns}-x`, '/a=>/c'))
      expect((await store.write(request(`${ns}-y`, '/a=>/b'))).written.version).toBe(1)
    },
  },
  {
    title: 'creates what is expected to be absent',
    run: async ({ store }, ns) => {
      expect((await store.write(request(ns, '/a=>/b', absent))).written.version).toBe(1)
    },
  },
  {
    title: 'refuses to create what exists, and changes nothing',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect(await codeOf(store.write(request(ns, '/a=>/c', absent)))).toBe('dtab-exists')
      expect(await store.head(ns)).toMatchObject({ version: 1, text: '/a=>/b' })
    },
  },
  {
    title: 'replaces what is expected to be present',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect((await store.write(request(ns, '/a=>/c', present))).written.version).toBe(2)
    },
  },
  {
    title: 'refuses to replace what never was',
    run: async ({ store }, ns) => {
      expect(await codeOf(store.write(request(ns, '/a=>/b', present)))).toBe('dtab-not-found')
      expect(await store.head(ns)).toBeUndefined()
    },
  },
  {
    title: 'writes on the version that is expected',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect((await store.write(request(ns, '/a=>/c', at(1)))).written.version).toBe(2)
    },
  },
  {
    title: 'writes when one of several expected versions is the present one',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, '/a=>/c'))
      expect((await store.write(request(ns, '/a=>/d', at(1, 2, 9)))).written.version).toBe(3)
    },
  },
  {
    title: 'refuses another version, says which is present and by whom, and changes nothing',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, '/a=>/c', { author: 'bo' }))
      await expect(store.write(request(ns, '/a=>/d', at(1)))).rejects.toMatchObject({
        code: 'dtab-version-mismatch',
        detail: { namespace: ns, presentVersion: 2, deleted: false, author: 'bo' },
      })
      expect(await store.head(ns)).toMatchObject({ version: 2, text: '/a=>/c' })
    },
  },
  {
    title: 'refuses an expected version of a namespace that never was',
    run: async ({ store }, ns) => {
      await expect(store.write(request(ns, '/a=>/b', at(1)))).rejects.toMatchObject({
        code: 'dtab-version-mismatch',
        detail: { presentVersion: 0, deleted: true },
      })
    },
  },
  {
    title: 'takes version 0 as one that never was',
    run: async ({ store }, ns) => {
      expect((await store.write(request(ns, '/a=>/b', at(0)))).written.version).toBe(1)
      expect(await codeOf(store.write(request(ns, '/a=>/c', at(0))))).toBe('dtab-version-mismatch')
    },
  },
  {
    title: 'takes an empty text as a dtab, not as a deletion',
    run: async ({ store }, ns) => {
      await store.write(request(ns, ''))
      expect(await store.head(ns)).toMatchObject({ version: 1, text: '' })
      expect(await codeOf(store.write(request(ns, '/a=>/b', absent)))).toBe('dtab-exists')
    },
  },
  {
    title: 'deletes by a tombstone with the next number',
    run: async ({ store }, ns) => {
      const first = await store.write(request(ns, '/a=>/b'))
      const { written, replaced } = await store.write(request(ns, undefined, { author: 'bo' }))
      expect(written).toMatchObject({ version: 2, meta: { author: 'bo', parent: 1 } })
      expect(written).not.toHaveProperty('text')
      expect(replaced).toEqual(first.written)
      expect(await store.head(ns)).toEqual(written)
    },
  },
  {
    title: 'refuses to delete what never was',
    run: async ({ store }, ns) => {
      expect(await codeOf(store.write(request(ns, undefined)))).toBe('dtab-not-found')
      expect(await store.history(ns, { limit: 10 })).toEqual([])
    },
  },
  {
    title: 'refuses to delete twice, and makes no second tombstone',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, undefined))
      expect(await codeOf(store.write(request(ns, undefined)))).toBe('dtab-not-found')
      expect(await store.head(ns)).toMatchObject({ version: 2 })
    },
  },
  {
    title: 'deletes only the expected version',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, '/a=>/c'))
      expect(await codeOf(store.write(request(ns, undefined, at(1))))).toBe('dtab-version-mismatch')
      expect((await store.write(request(ns, undefined, at(2)))).written.version).toBe(3)
    },
  },
  {
    title: 'deletes what is expected to be present',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect((await store.write(request(ns, undefined, present))).written.version).toBe(2)
    },
  },
  {
    title: 'never uses a number again after a deletion',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, undefined))
      const { written } = await store.write(request(ns, '/a=>/c', absent))
      expect(written).toMatchObject({ version: 3, meta: { parent: 2 } })
    },
  },
  {
    title: 'takes a deleted namespace as not present',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, undefined))
      expect(await codeOf(store.write(request(ns, '/a=>/c', present)))).toBe('dtab-not-found')
    },
  },
  {
    title: 'restores a deleted namespace on the number of its tombstone',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const tombstone = await store.write(request(ns, undefined))
      const { written, replaced } = await store.write(request(ns, '/a=>/b', at(2)))
      expect(written).toMatchObject({ version: 3, text: '/a=>/b' })
      expect(replaced).toEqual(tombstone.written)
    },
  },
  {
    title: 'lets exactly one of twenty racing creations win',
    run: async ({ store }, ns) => {
      const racers = Array.from({ length: 20 }, (_, i) => codeOf(store.write(request(ns, `/a=>/b${i}`, absent))))
      const codes = await Promise.all(racers)
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
      expect(codes.filter(code => code === 'dtab-exists')).toHaveLength(19)
    },
  },
  {
    title: 'gives fifty racing writes fifty numbers in one chain',
    run: async ({ store }, ns) => {
      const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.write(request(ns, `/a=>/b${i}`))))
      const byNumber = results.map(result => result.written).sort((a, b) => a.version - b.version)
      expect(byNumber.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
      expect(byNumber.map(({ meta }) => meta.parent)).toEqual(Array.from({ length: 50 }, (_, i) => i))
      expect(await store.head(ns)).toEqual(byNumber.at(-1))
    },
  },
  {
    title: 'loses no conditional edit of ten writers who retry',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '0'))
      const increment = async (): Promise<void> => {
        const head = await store.head(ns)
        const next = String(Number(head?.text) + 1)
        const code = await codeOf(store.write(request(ns, next, at(head?.version ?? 0))))
        if (code === 'dtab-version-mismatch') return increment()
        expect(code).toBeUndefined()
      }
      const writer = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await increment()
      }
      await Promise.all(Array.from({ length: 10 }, writer))
      expect(await store.head(ns)).toMatchObject({ version: 101, text: '100' })
    },
  },
  {
    title: 'settles writes in flight before it closes, and keeps none back',
    fresh: true,
    run: async ({ store }, ns) => {
      const writes = Array.from({ length: 30 }, (_, i) => store.write(request(ns, `/a=>/b${i}`)))
      const closing = store.close()
      const results = await Promise.all(writes)
      expect(results.map(({ written }) => written.version).sort((a, b) => a - b)).toEqual(results.map((_, i) => i + 1))
      await closing
    },
  },
  {
    title: 'refuses a write after it was closed, and may be closed twice',
    fresh: true,
    run: async ({ store }, ns) => {
      await store.close()
      await store.close()
      expect(await codeOf(store.write(request(ns, '/a=>/b')))).toBe('store-unavailable')
    },
  },
]
