// What those who follow a shared backend are told.
import { expect } from 'vitest'
import { bytesOf, commitOver, recordHeads, type SharedBackendCase, versionOf } from './shared-backend.contract.ts'

export const followCases: readonly SharedBackendCase[] = [
  {
    title: 'tells a follower first all there is, as of one moment',
    fresh: true,
    run: async ({ backend, other, outside, until }) => {
      const one = await commitOver(backend, versionOf('one', 1, '/a=>/b'))
      await commitOver(backend, versionOf('two', 1, '/a=>/b'))
      await commitOver(backend, versionOf('two', 2, undefined))
      await outside.put('three', bytesOf('garbage'))
      const heads = recordHeads(other)
      await until('a reset', () => heads.resets.length === 1)
      expect([...heads.newest.keys()].sort()).toEqual(['one', 'three', 'two'])
      expect(heads.newest.get('one')).toMatchObject({
        isOurs: true,
        token: one.token,
        record: { version: 1, bytes: 6 },
      })
      expect(heads.newest.get('two')).toMatchObject({ isOurs: true, record: { version: 2, deleted: true } })
      expect(heads.newest.get('three')).toMatchObject({ isOurs: false })
      heads.stop()
    },
  },
  {
    title: 'tells a follower that there is nothing',
    fresh: true,
    run: async ({ backend, until }) => {
      const heads = recordHeads(backend)
      await until('a reset', () => heads.resets.length === 1)
      expect(heads.heard).toEqual([])
      heads.stop()
    },
  },
  {
    title: 'tells a follower of what others commit, with the token that a read gives',
    fresh: true,
    run: async ({ backend, other, until }, ns) => {
      const heads = recordHeads(other)
      await until('a reset', () => heads.resets.length === 1)
      for (let i = 1; i <= 3; i++) {
        const written = await commitOver(backend, versionOf(ns, i, i === 2 ? undefined : `/a=>/b${i}`))
        await until(`version ${i}`, () => heads.newest.get(ns)?.record?.version === i)
        expect(heads.newest.get(ns)?.token).toBe(written.token)
        expect(heads.newest.get(ns)?.record).toEqual((await other.readHead(ns)).record)
      }
      expect(heads.heard.map(({ order }) => order)).toEqual(heads.heard.map(({ order }) => order).sort((a, b) => a - b))
      heads.stop()
    },
  },
  {
    title: 'tells a follower of what people do with other tools',
    fresh: true,
    run: async ({ backend, other, outside, until }, ns) => {
      const heads = recordHeads(other)
      await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await until('ours', () => heads.newest.get(ns)?.isOurs === true)
      await outside.put(ns, bytesOf('/a=>/c'))
      await until('the edit', () => heads.newest.get(ns)?.isOurs === false)
      expect(heads.newest.get(ns)?.token).toBe((await other.readHead(ns)).token)
      await commitOver(backend, versionOf(ns, 2, '/a=>/c'))
      await until('ours again', () => heads.newest.get(ns)?.record?.version === 2)
      const { token } = heads.newest.get(ns) ?? {}
      await outside.remove(ns)
      await until('the deletion', () => heads.newest.get(ns)?.token !== token)
      expect(heads.newest.get(ns)?.token ?? 'gone').toBe(
        heads.newest.has(ns) ? (await other.readHead(ns)).token : 'gone',
      )
      heads.stop()
    },
  },
  {
    title: 'tells a follower of nothing but heads',
    fresh: true,
    run: async ({ backend, other, until }, ns) => {
      const heads = recordHeads(other)
      await until('a reset', () => heads.resets.length === 1)
      await backend.putVersion(versionOf(ns, 1, '/a=>/b'))
      await commitOver(backend, versionOf(ns, 2, '/a=>/c', { idempotencyKey: 'k' }), undefined, 'print')
      await backend.dropVersions(ns, [1])
      await backend.dropKeys(Number.MAX_SAFE_INTEGER)
      await commitOver(backend, versionOf('last', 1, '/a=>/c'))
      await until('the last', () => heads.newest.has('last'))
      expect(new Set(heads.heard.map(({ namespace }) => namespace))).toEqual(new Set([ns, 'last']))
      expect(new Set(heads.heard.filter(head => head.namespace === ns).map(head => head.token)).size).toBe(1)
      heads.stop()
    },
  },
  {
    title: 'tells nothing after a follow was ended, and everything to the next one',
    fresh: true,
    run: async ({ backend, other, until }, ns) => {
      const ended = recordHeads(other)
      await until('a reset', () => ended.resets.length === 1)
      ended.stop()
      ended.stop()
      await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      const next = recordHeads(other)
      await until('what came in between', () => next.newest.get(ns)?.record?.version === 1)
      expect(ended.heard).toEqual([])
      next.stop()
    },
  },
  {
    title: 'loses no change of a burst',
    fresh: true,
    run: async ({ backend, other, until }) => {
      const heads = recordHeads(other)
      const names = Array.from({ length: 50 }, (_, i) => `burst-${i}`)
      await Promise.all(names.map(name => commitOver(backend, versionOf(name, 1, '/a=>/b'))))
      await Promise.all(names.map(name => commitOver(backend, versionOf(name, 2, '/a=>/c'))))
      await until('all', () => names.every(name => heads.newest.get(name)?.record?.version === 2))
      heads.stop()
    },
  },
]
