// What a shared backend does with a commit, and what it says of heads before and after.
import { expect } from 'vitest'
import { bytesOf, commitOver, type SharedBackendCase, textOf, versionOf } from './shared-backend.contract.ts'

const odd = Uint8Array.of(0, 0xff, 0xfe, 0x80, 0x0d, 0x0a, 0xc3)

export const commitCases: readonly SharedBackendCase[] = [
  {
    title: 'has neither text nor record of a namespace that never was, and calls that ours',
    run: async ({ backend }, ns) => {
      const head = await backend.readHead(ns)
      expect(head).toMatchObject({ namespace: ns, isOurs: true })
      expect(head).not.toHaveProperty('record')
      expect(head).not.toHaveProperty('content')
    },
  },
  {
    title: 'gives back what was committed: text, record, and a token that stays',
    run: async ({ backend, other }, ns) => {
      const version = versionOf(ns, 1, '/a=>/b; # ñ\r\n', { verified: true, address: '10.0.0.1', message: 'why\n"so"' })
      const sighting = await commitOver(backend, version)
      for (const connection of [backend, other]) {
        const head = await connection.readHead(ns)
        expect(textOf(head.content)).toBe(version.text)
        expect(head.record).toEqual({ version: 1, meta: version.meta, deleted: false, bytes: 14 })
        expect(head).toMatchObject({ isOurs: true, token: sighting.token })
        expect(head.order).toBeGreaterThanOrEqual(sighting.order)
      }
    },
  },
  {
    title: 'gives every change another token and a greater order',
    run: async ({ backend, outside }, ns) => {
      const absent = await backend.readHead(ns)
      const first = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      const same = await commitOver(backend, versionOf(ns, 2, '/a=>/b'))
      await outside.put(ns, bytesOf('/a=>/b'))
      const edited = await backend.readHead(ns)
      const steps = [absent, first, same, edited]
      expect(new Set(steps.map(({ token }) => token)).size).toBe(4)
      expect(first.order).toBeGreaterThan(absent.order)
      expect(same.order).toBeGreaterThan(first.order)
      expect(edited.order).toBeGreaterThan(same.order)
    },
  },
  {
    title: 'refuses a commit over what stands no longer, and changes nothing',
    run: async ({ backend, other }, ns) => {
      const absent = await backend.readHead(ns)
      const first = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await commitOver(other, versionOf(ns, 2, '/a=>/c'), first)
      for (const over of [absent, first]) {
        const outcome = await backend.commit({
          over,
          version: versionOf(ns, 3, '/a=>/d', { idempotencyKey: 'k' }),
          fingerprint: 'f',
        })
        expect(outcome).toEqual({ kind: 'moved' })
      }
      expect(textOf((await backend.readHead(ns)).content)).toBe('/a=>/c')
      expect(await backend.readVersion(ns, 3)).toBeUndefined()
      expect(await backend.readKey(ns, 'k')).toBeUndefined()
    },
  },
  {
    title: 'lets one of many who commit over the same head win',
    run: async ({ backend, other }, ns) => {
      const over = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      const racers = Array.from({ length: 10 }, (_, i) =>
        [backend, other][i % 2]?.commit({ over, version: versionOf(ns, 2, `/a=>/b${i}`, { author: `a${i}` }) }),
      )
      const outcomes = await Promise.all(racers)
      const won = outcomes.flatMap((outcome, i) => (outcome?.kind === 'written' ? [i] : []))
      expect(won).toHaveLength(1)
      const head = await backend.readHead(ns)
      expect(head.record?.meta.author).toBe(`a${won[0]}`)
      expect(textOf(head.content)).toBe(`/a=>/b${won[0]}`)
      expect((await backend.readVersion(ns, head.record?.version ?? 0))?.text).toBe(`/a=>/b${won[0]}`)
    },
  },
  {
    title: 'keeps a tombstone as a record without a text, and goes on from it',
    run: async ({ backend }, ns) => {
      await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await commitOver(backend, versionOf(ns, 2, undefined))
      const head = await backend.readHead(ns)
      expect(head).toMatchObject({ isOurs: true, record: { version: 2, deleted: true, bytes: 0 } })
      expect(head).not.toHaveProperty('content')
      await commitOver(backend, versionOf(ns, 3, '/a=>/c'), head)
      expect(textOf((await backend.readHead(ns)).content)).toBe('/a=>/c')
    },
  },
  {
    title: 'tells an empty text from none',
    run: async ({ backend }, ns) => {
      await commitOver(backend, versionOf(ns, 1, ''))
      const head = await backend.readHead(ns)
      expect(head.content?.byteLength).toBe(0)
      expect(head.record).toMatchObject({ deleted: false, bytes: 0 })
    },
  },
  {
    title: 'takes the largest text there may be, twice',
    run: async ({ backend }, ns) => {
      const text = 'ñ'.repeat(Math.floor(backend.maxDtabBytes / 2))
      await commitOver(backend, versionOf(ns, 1, text))
      await commitOver(backend, versionOf(ns, 2, text.replace('ñ', '##')))
      expect((await backend.readHead(ns)).content?.byteLength).toBe(text.length * 2)
      expect((await backend.readVersion(ns, 1))?.text === text).toBe(true)
    },
  },
  {
    title: 'says of a text that somebody put over ours that it is not ours, and gives it to the byte',
    run: async ({ backend, outside }, ns) => {
      const version = versionOf(ns, 1, '/a=>/b')
      const ours = await commitOver(backend, version)
      await outside.put(ns, odd)
      const head = await backend.readHead(ns)
      expect(head.isOurs).toBe(false)
      expect(Buffer.from(head.content ?? []).equals(odd)).toBe(true)
      expect(head.record).toMatchObject({ version: 1, meta: version.meta })
      expect(head.token).not.toBe(ours.token)
      expect(await backend.readVersion(ns, 1)).toEqual(version)
    },
  },
  {
    title: 'says of a text that somebody put where there was none that it is not ours',
    run: async ({ backend, outside }, ns) => {
      await outside.put(ns, bytesOf('/a=>/b'))
      const head = await backend.readHead(ns)
      expect(head.isOurs).toBe(false)
      expect(textOf(head.content)).toBe('/a=>/b')
      expect(head).not.toHaveProperty('record')
    },
  },
  {
    title: 'says of a tombstone under a text that somebody put there that it is not ours',
    run: async ({ backend, outside }, ns) => {
      await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await commitOver(backend, versionOf(ns, 2, undefined))
      await outside.put(ns, bytesOf('/a=>/c'))
      const head = await backend.readHead(ns)
      expect(head).toMatchObject({ isOurs: false, record: { version: 2, deleted: true } })
      expect(textOf(head.content)).toBe('/a=>/c')
    },
  },
  {
    title: 'has no text after somebody deleted it',
    run: async ({ backend, outside }, ns) => {
      const ours = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await outside.remove(ns)
      const head = await backend.readHead(ns)
      expect(head).not.toHaveProperty('content')
      if (head.record !== undefined) expect(head).toMatchObject({ isOurs: false, record: { version: 1 } })
      expect(head.token).not.toBe(ours.token)
    },
  },
  {
    title: 'commits over what somebody else did, once it was seen, and calls it ours again',
    run: async ({ backend, outside }, ns) => {
      const ours = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await outside.put(ns, bytesOf('/a=>/c'))
      expect(await backend.commit({ over: ours, version: versionOf(ns, 2, '/a=>/d') })).toEqual({ kind: 'moved' })
      await commitOver(backend, versionOf(ns, 2, '/a=>/c', { author: 'external' }))
      const head = await backend.readHead(ns)
      expect(head).toMatchObject({ isOurs: true, record: { version: 2 } })
      await outside.remove(ns)
      await commitOver(backend, versionOf(ns, 3, undefined, { author: 'external' }))
      expect(await backend.readHead(ns)).toMatchObject({ isOurs: true, record: { version: 3, deleted: true } })
    },
  },
  {
    title: 'refuses a commit over a text that somebody put there since, byte for byte the same',
    run: async ({ backend, outside }, ns) => {
      const ours = await commitOver(backend, versionOf(ns, 1, '/a=>/b'))
      await outside.put(ns, bytesOf('/a=>/c'))
      await outside.put(ns, bytesOf('/a=>/b'))
      expect(await backend.commit({ over: ours, version: versionOf(ns, 2, '/a=>/d') })).toEqual({ kind: 'moved' })
    },
  },
]
