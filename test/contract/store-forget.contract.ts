// What every store does when it is told to forget old versions, and what it says of texts that others left.
import { expect } from 'vitest'
import type { Store } from '../../storage/store.ts'
import { codeOf, request, type StoreCase } from './store.contract.ts'

const key = (name: string) => ({ idempotency: { key: name, fingerprint: 'print' } })

async function writeMany(store: Store, ns: string, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await store.write(request(ns, `/a=>/b${i}`, key(`k${i}`)))
}

async function numbers(store: Store, ns: string, before?: number, limit = 10): Promise<number[]> {
  const versions = await store.history(ns, { limit, ...(before !== undefined && { before }) })
  return versions.map(({ version }) => version)
}

export const forgetCases: readonly StoreCase[] = [
  {
    title: 'forgets old versions, and nothing else',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 5)
      await store.forget(ns, [1, 2, 4])
      expect(await numbers(store, ns)).toEqual([5, 3])
      for (const version of [1, 2, 4]) expect(await store.version(ns, version)).toBeUndefined()
      expect((await store.version(ns, 3))?.text).toBe('/a=>/b3')
      expect(await store.head(ns)).toMatchObject({ version: 5, text: '/a=>/b5' })
    },
  },
  {
    title: 'pages over what was forgotten',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 6)
      await store.forget(ns, [2, 3, 5])
      expect(await numbers(store, ns, undefined, 2)).toEqual([6, 4])
      expect(await numbers(store, ns, 4, 2)).toEqual([1])
      expect(await numbers(store, ns, 3, 2)).toEqual([1])
    },
  },
  {
    title: 'never forgets the head, a tombstone either',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 2)
      await store.forget(ns, [1, 2])
      expect(await numbers(store, ns)).toEqual([2])
      await store.write(request(ns, undefined))
      await store.forget(ns, [2, 3])
      expect(await numbers(store, ns)).toEqual([3])
      expect(await store.head(ns)).toMatchObject({ version: 3 })
    },
  },
  {
    title: 'takes versions that are not there as nothing',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 2)
      await store.forget(ns, [])
      await store.forget(ns, [1, 7, 0])
      await store.forget(ns, [1])
      await store.forget(`${ns}-other`, [1])
      expect(await numbers(store, ns)).toEqual([2])
    },
  },
  {
    title: 'numbers on from the head after all else was forgotten',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 3)
      await store.forget(ns, [1, 2])
      const { written, replaced } = await store.write(request(ns, '/a=>/c'))
      expect(written).toMatchObject({ version: 4, meta: { parent: 3 } })
      expect(replaced).toMatchObject({ version: 3 })
    },
  },
  {
    title: 'answers the key of a forgotten version by saying that it is gone, and writes nothing',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 3)
      await store.forget(ns, [1, 2])
      expect(await codeOf(store.write(request(ns, '/a=>/b1', key('k1'))))).toBe('version-not-found')
      expect(await codeOf(store.recall(ns, key('k1').idempotency))).toBe('version-not-found')
      expect(await store.head(ns)).toMatchObject({ version: 3, text: '/a=>/b3' })
    },
  },
  {
    title: 'answers a key without what it replaced once that is forgotten',
    run: async ({ store }, ns) => {
      await writeMany(store, ns, 3)
      await store.forget(ns, [2])
      const again = await store.write(request(ns, '/a=>/b3', key('k3')))
      expect(again).toMatchObject({ written: { version: 3 }, repeated: true })
      expect(again).not.toHaveProperty('replaced')
    },
  },
  {
    title: 'tells nobody who observes that old versions are forgotten',
    run: async ({ store, until }, ns) => {
      await writeMany(store, ns, 3)
      const seen: (number | undefined)[] = []
      const stop = store.observe(ns).watch(state => {
        if (state.kind === 'ok') seen.push(state.value?.version)
      })
      await until('known', () => seen.length > 0)
      await store.forget(ns, [1, 2])
      await store.write(request(ns, '/a=>/c'))
      await until('the next', () => seen.at(-1) === 4)
      expect(seen).toEqual([3, 4])
      stop()
    },
  },
  {
    title: 'has refused nothing while nobody else has written',
    fresh: true,
    run: async ({ store, until }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const cell = store.refusals()
      const stop = cell.watch(() => {})
      await until('an answer', () => cell.peek().kind === 'ok')
      expect(cell.peek()).toMatchObject({ kind: 'ok', value: [] })
      stop()
    },
  },
  {
    title: 'takes it calmly that somebody goes by a version, known here or not',
    run: async ({ store, until }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const cell = store.observe(ns)
      const stop = cell.watch(() => {})
      store.noticed(ns, 1)
      store.noticed(ns, 9)
      store.noticed(`${ns}-never-was`, 3)
      await until('the head', () => cell.peek().kind === 'ok')
      expect(cell.peek()).toMatchObject({ kind: 'ok', value: { version: 1 } })
      stop()
    },
  },
]
