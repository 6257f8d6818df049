// What every store does with a history that is brought in.
import { expect } from 'vitest'
import type { Version } from '../../storage/store.ts'
import { codeOf, request, type StoreCase } from './store.contract.ts'

function past(ns: string, version: number, text: string | undefined, parent: number): Version {
  const meta = { author: 'bo', verified: true, message: `m${version}`, time: 1_600_000_000_000 + version, parent }
  return { namespace: ns, version, ...(text !== undefined && { text }), meta }
}

/** With gaps and a deletion in the middle. */
const longPast = (ns: string): readonly Version[] => [
  past(ns, 2, '/a=>/b2', 1),
  past(ns, 3, undefined, 2),
  past(ns, 7, '/a=>/b7 # ñ\r\n', 3),
  past(ns, 20, '/a=>/b20', 7),
]

const numbers = (versions: readonly { readonly version: number }[]): number[] => versions.map(({ version }) => version)

/** Nothing of the namespace is left or shown. */
async function expectNeverWas({ store }: Parameters<StoreCase['run']>[0], ns: string): Promise<void> {
  expect(await store.head(ns)).toBeUndefined()
  expect(await store.history(ns, { limit: 10 })).toEqual([])
  for (const { version } of longPast(ns)) expect(await store.version(ns, version)).toBeUndefined()
}

export const importCases: readonly StoreCase[] = [
  {
    title: 'brings in versions with the numbers and facts that they have',
    run: async ({ store }, ns) => {
      const versions = longPast(ns)
      expect(await store.importHistory(ns, versions)).toEqual(versions.at(-1))
      expect(await store.head(ns)).toEqual(versions.at(-1))
      for (const version of versions) expect(await store.version(ns, version.version)).toEqual(version)
      for (const number of [1, 4, 19, 21]) expect(await store.version(ns, number)).toBeUndefined()
    },
  },
  {
    title: 'pages over the gaps of what was brought in',
    run: async ({ store }, ns) => {
      await store.importHistory(ns, longPast(ns))
      expect(numbers(await store.history(ns, { limit: 2 }))).toEqual([20, 7])
      expect(numbers(await store.history(ns, { before: 7, limit: 2 }))).toEqual([3, 2])
      expect(numbers(await store.history(ns, { before: 19, limit: 1 }))).toEqual([7])
      expect(await store.history(ns, { before: 2, limit: 2 })).toEqual([])
      const deleted = (await store.history(ns, { limit: 10 })).map(summary => summary.deleted)
      expect(deleted).toEqual([false, false, true, false])
    },
  },
  {
    title: 'numbers on from the last that was brought in',
    run: async ({ store }, ns) => {
      await store.importHistory(ns, longPast(ns))
      const { written, replaced } = await store.write(request(ns, '/a=>/c'))
      expect(written).toMatchObject({ version: 21, meta: { parent: 20 } })
      expect(replaced).toMatchObject({ version: 20 })
    },
  },
  {
    title: 'brings in a namespace that was deleted last, which can be restored',
    run: async ({ store }, ns) => {
      const versions = [past(ns, 1, '/a=>/b', 0), past(ns, 2, undefined, 1)]
      await store.importHistory(ns, versions)
      expect(await store.head(ns)).toEqual(versions[1])
      expect(await codeOf(store.write(request(ns, undefined)))).toBe('dtab-not-found')
      const { written } = await store.write(request(ns, '/a=>/b', { expect: { kind: 'absent' } }))
      expect(written).toMatchObject({ version: 3, meta: { parent: 2 } })
    },
  },
  {
    title: 'takes one version, and versions that come one by one',
    run: async ({ store }, ns) => {
      await store.importHistory(`${ns}-one`, [past(`${ns}-one`, 5, '', 4)])
      expect(await store.head(`${ns}-one`)).toMatchObject({ version: 5, text: '' })
      async function* slowly(): AsyncGenerator<Version> {
        for (const version of longPast(`${ns}-many`)) {
          await Promise.resolve()
          yield version
        }
      }
      await store.importHistory(`${ns}-many`, slowly())
      expect(numbers(await store.history(`${ns}-many`, { limit: 9 }))).toEqual([20, 7, 3, 2])
    },
  },
  {
    title: 'shows what was brought in to those who watch, once and whole',
    run: async ({ store, until }, ns) => {
      const seen: (number | undefined)[] = []
      const stop = store.observe(ns).watch(state => {
        if (state.kind === 'ok') seen.push(state.value?.version)
      })
      await until('known', () => seen.length > 0)
      await store.importHistory(ns, longPast(ns))
      await until('the head', () => seen.at(-1) === 20)
      expect(seen).toEqual([undefined, 20])
      const cell = store.list()
      const stopList = cell.watch(() => {})
      const listed = () => {
        const state = cell.peek()
        return state.kind === 'ok' ? state.value.find(({ namespace }) => namespace === ns) : undefined
      }
      await until('the listing', () => listed() !== undefined)
      expect(listed()).toMatchObject({ version: 20, author: 'bo', verified: true, deleted: false, bytes: 8 })
      stopList()
      stop()
    },
  },
  {
    title: 'brings nothing into a namespace that has a version, a tombstone either',
    run: async ({ store }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      expect(await codeOf(store.importHistory(ns, longPast(ns)))).toBe('dtab-exists')
      await store.write(request(ns, undefined))
      expect(await codeOf(store.importHistory(ns, longPast(ns)))).toBe('dtab-exists')
      expect(numbers(await store.history(ns, { limit: 9 }))).toEqual([2, 1])
      expect(await store.version(ns, 7)).toBeUndefined()
    },
  },
  {
    title: 'brings a namespace in once, of two who try',
    run: async ({ store }, ns) => {
      const codes = await Promise.all([1, 2].map(() => codeOf(store.importHistory(ns, longPast(ns)))))
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
      expect(codes).toContain('dtab-exists')
      expect(numbers(await store.history(ns, { limit: 9 }))).toEqual([20, 7, 3, 2])
    },
  },
  {
    title: 'refuses numbers that do not grow from 1, parents that are none, and an empty history, and changes nothing',
    run: async (fixture, ns) => {
      const [two, three] = [past(ns, 2, '/a=>/b2', 1), past(ns, 3, '/a=>/b3', 2)]
      const bad: readonly (readonly Version[])[] = [
        [],
        [three, two],
        [two, two],
        [two, three, past(ns, 0, '/a=>/b', 0)],
        [past(ns, -1, '/a=>/b', 0)],
        [past(ns, 1.5, '/a=>/b', 0)],
        [two, past(ns, 3, '/a=>/b', 1)],
        [two, past(ns, 5, '/a=>/b', 5)],
        [past(ns, 2, '/a=>/b', -1)],
      ]
      for (const versions of bad) expect(await codeOf(fixture.store.importHistory(ns, versions))).toBe('bad-request')
      await expectNeverWas(fixture, ns)
    },
  },
  {
    title: 'leaves nothing of a history that is cut off in the middle, and takes it whole later',
    run: async (fixture, ns) => {
      const { store } = fixture
      function* cutOff(): Generator<Version> {
        for (let version = 1; version < 20; version++) yield past(ns, version, '/left=>/over', version - 1)
        throw new Error('cut off')
      }
      await expect(store.importHistory(ns, cutOff())).rejects.toThrow('cut off')
      await expectNeverWas(fixture, ns)
      await store.importHistory(ns, longPast(ns).slice(1))
      expect(numbers(await store.history(ns, { limit: 9 }))).toEqual([20, 7, 3])
    },
  },
  {
    title: 'refuses a history with a text that is too large for it, and changes nothing',
    run: async (fixture, ns) => {
      const huge = '#'.repeat(fixture.store.maxDtabBytes + 1)
      const versions = [past(ns, 2, '/a=>/b', 1), past(ns, 3, huge, 2), past(ns, 7, '/a=>/b', 3)]
      expect(await codeOf(fixture.store.importHistory(ns, versions))).toBe('dtab-too-large')
      await expectNeverWas(fixture, ns)
    },
  },
  {
    title: 'counts up from 1 after an import that failed',
    run: async ({ store }, ns) => {
      await codeOf(store.importHistory(ns, [past(ns, 2, '/a=>/b', 1), past(ns, 2, '/a=>/b', 1)]))
      expect((await store.write(request(ns, '/a=>/b'))).written.version).toBe(1)
    },
  },
  {
    title: 'keeps the key that an imported version names, and does not answer to it',
    run: async ({ store }, ns) => {
      const version = past(ns, 4, '/a=>/b', 3)
      const keyed = { ...version, meta: { ...version.meta, idempotencyKey: 'k', address: '10.0.0.1' } }
      await store.importHistory(ns, [past(ns, 3, '', 2), keyed])
      expect(await store.version(ns, 4)).toEqual(keyed)
      expect(await store.recall(ns, { key: 'k', fingerprint: 'print' })).toBeUndefined()
    },
  },
]
