// What every store does with an idempotency key.
import { expect } from 'vitest'
import { codeOf, request, type StoreCase } from './store.contract.ts'

const key = (name: string, fingerprint = 'print') => ({ idempotency: { key: name, fingerprint } })
const hourMs = 60 * 60 * 1000

export const keyCases: readonly StoreCase[] = [
  {
    title: 'answers a repeated key with the version that it made, and writes nothing',
    run: async ({ store }, ns) => {
      const first = await store.write(request(ns, '/a=>/b', key('k')))
      const again = await store.write(request(ns, '/a=>/b', key('k')))
      expect(again).toEqual({ ...first, repeated: true })
      expect(await store.head(ns)).toMatchObject({ version: 1 })
    },
  },
  {
    title: 'answers a repeated key so after later writes too, with what it replaced',
    run: async ({ store }, ns) => {
      const first = await store.write(request(ns, '/a=>/b'))
      const keyed = await store.write(request(ns, '/a=>/c', key('k')))
      await store.write(request(ns, '/a=>/d'))
      const again = await store.write(request(ns, '/a=>/c', key('k')))
      expect(again).toEqual({ written: keyed.written, replaced: first.written, repeated: true })
      expect(await store.head(ns)).toMatchObject({ version: 3, text: '/a=>/d' })
    },
  },
  {
    title: 'refuses a key that was used for another request',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b', key('k', 'one')))
      const other = store.write(request(ns, '/a=>/c', key('k', 'two')))
      expect(await codeOf(other)).toBe('idempotency-key-reused')
      expect(await store.head(ns)).toMatchObject({ version: 1 })
    },
  },
  {
    title: 'keeps the keys of each namespace apart',
    run: async ({ store }, ns) => {
      await store.write(request(`${ns}-x`, '/a=>/b', key('k', 'one')))
      const other = await store.write(request(`${ns}-y`, '/a=>/c', key('k', 'two')))
      expect(other).toMatchObject({ repeated: false, written: { version: 1 } })
    },
  },
  {
    title: 'asks nothing of the head when a key is repeated',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b', { ...key('k'), expect: { kind: 'absent' } }))
      const again = await store.write(request(ns, '/a=>/b', { ...key('k'), expect: { kind: 'absent' } }))
      expect(again.repeated).toBe(true)
    },
  },
  {
    title: 'leaves a key unused when its write is refused',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const refused = store.write(request(ns, '/a=>/c', { ...key('k'), expect: { kind: 'absent' } }))
      expect(await codeOf(refused)).toBe('dtab-exists')
      expect(await store.write(request(ns, '/a=>/d', key('k', 'other')))).toMatchObject({ repeated: false })
    },
  },
  {
    title: 'answers a repeated deletion with its tombstone',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const first = await store.write(request(ns, undefined, key('k')))
      expect(await store.write(request(ns, undefined, key('k')))).toEqual({ ...first, repeated: true })
    },
  },
  {
    title: 'shows the key in the version',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b', key('k')))
      await store.write(request(ns, '/a=>/c'))
      expect((await store.version(ns, 1))?.meta.idempotencyKey).toBe('k')
      expect((await store.version(ns, 2))?.meta).not.toHaveProperty('idempotencyKey')
    },
  },
  {
    title: 'lets one of ten racing repeats write',
    run: async ({ store }, ns) => {
      const racers = Array.from({ length: 10 }, () => store.write(request(ns, '/a=>/b', key('k'))))
      const results = await Promise.all(racers)
      expect(results.filter(result => !result.repeated)).toHaveLength(1)
      expect(new Set(results.map(result => result.written.version))).toEqual(new Set([1]))
    },
  },
  {
    title: 'keeps a key for 24 hours, and then forgets it',
    fresh: true,
    run: async ({ store, age }, ns) => {
      await store.write(request(ns, '/a=>/b', key('k')))
      await age(23 * hourMs)
      expect((await store.write(request(ns, '/a=>/b', key('k')))).repeated).toBe(true)
      await age(2 * hourMs)
      const fresh = await store.write(request(ns, '/a=>/c', key('k', 'other')))
      expect(fresh).toMatchObject({ repeated: false, written: { version: 2 } })
    },
  },
  {
    title: 'recalls what a key has made without a write',
    run: async ({ store }, ns) => {
      const idempotency = { key: 'k', fingerprint: 'print' }
      expect(await store.recall(ns, idempotency)).toBeUndefined()
      await store.write(request(ns, '/a=>/b'))
      const first = await store.write(request(ns, '/a=>/c', { idempotency }))
      expect(await store.recall(ns, idempotency)).toEqual({ ...first, repeated: true })
      expect(await codeOf(store.recall(ns, { key: 'k', fingerprint: 'other' }))).toBe('idempotency-key-reused')
    },
  },
]
