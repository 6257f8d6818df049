// What the cells of every store deliver: heads and the listing.
import { expect } from 'vitest'
import type { NamespaceSummary, Version } from '../../storage/store.ts'
import type { Cell } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import { request, type StoreCase } from './store.contract.ts'

/** Every state that a cell delivers, in order. */
function record<T>(cell: Cell<T>): { readonly states: State<T>[]; readonly stop: () => void; last(): T | undefined } {
  const states: State<T>[] = []
  const stop = cell.watch(state => {
    states.push(state)
  })
  const last = (): T | undefined => {
    const state = states.at(-1)
    return state?.kind === 'ok' ? state.value : undefined
  }
  return { states, stop, last }
}

const ours = (ns: string, listing: readonly NamespaceSummary[] | undefined): readonly NamespaceSummary[] =>
  (listing ?? []).filter(summary => summary.namespace.startsWith(ns))

export const cellCases: readonly StoreCase[] = [
  {
    title: 'observes a namespace that never was as a known absence',
    run: async ({ store, until }, ns) => {
      const seen = record(store.observe(ns))
      await until('an answer', () => seen.states.at(-1)?.kind === 'ok')
      expect(seen.states.at(-1)).toEqual({ kind: 'ok', value: undefined })
      seen.stop()
    },
  },
  {
    title: 'delivers the present head to a new watcher',
    run: async ({ store, until }, ns) => {
      const { written } = await store.write(request(ns, '/a=>/b'))
      const seen = record(store.observe(ns))
      await until('the head', () => seen.last() !== undefined)
      expect(seen.last()).toEqual(written)
      seen.stop()
    },
  },
  {
    title: 'delivers the first version of a namespace that is already watched',
    run: async ({ store, until }, ns) => {
      const seen = record(store.observe(ns))
      await store.write(request(ns, '/a=>/b'))
      await until('version 1', () => seen.last()?.version === 1)
      seen.stop()
    },
  },
  {
    title: 'delivers each new head, the newest last and never an older one after it',
    run: async ({ store, until }, ns) => {
      const seen = record(store.observe(ns))
      for (let i = 1; i <= 20; i++) await store.write(request(ns, `/a=>/b${i}`))
      await until('version 20', () => seen.last()?.version === 20)
      const versions = seen.states.flatMap(state => (state.kind === 'ok' && state.value ? [state.value.version] : []))
      expect(versions).toEqual([...versions].sort((a, b) => a - b))
      expect(new Set(versions).size).toBe(versions.length)
      seen.stop()
    },
  },
  {
    title: 'delivers a tombstone, and the version that restores',
    run: async ({ store, until }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const seen = record(store.observe(ns))
      await store.write(request(ns, undefined))
      await until('the tombstone', () => seen.last()?.version === 2)
      expect(seen.last()).not.toHaveProperty('text')
      await store.write(request(ns, '/a=>/b'))
      await until('the restored', () => seen.last()?.text === '/a=>/b')
      seen.stop()
    },
  },
  {
    title: 'tells the watchers of one namespace nothing of another',
    run: async ({ store, until }, ns) => {
      const quiet = record(store.observe(`${ns}-quiet`))
      const busy = record(store.observe(`${ns}-busy`))
      await until('both known', () => quiet.states.at(-1)?.kind === 'ok')
      const before = quiet.states.length
      await store.write(request(`${ns}-busy`, '/a=>/b'))
      await until('the change', () => busy.last()?.version === 1)
      expect(quiet.states).toHaveLength(before)
      quiet.stop()
      busy.stop()
    },
  },
  {
    title: 'opens one upstream watch for any number of observers of a namespace',
    run: async ({ store, kernel, until }, ns) => {
      const before = kernel.counts().openSources
      const watchers = Array.from({ length: 50 }, () => record(store.observe(ns)))
      expect(kernel.counts().openSources - before).toBe(1)
      await store.write(request(ns, '/a=>/b'))
      await until('all told', () => watchers.every(watcher => watcher.last()?.version === 1))
      for (const watcher of watchers) watcher.stop()
    },
  },
  {
    title: 'delivers to a second watcher at once what the first one knows',
    run: async ({ store, until }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      const first = record(store.observe(ns))
      await until('known', () => first.last() !== undefined)
      const second = record(store.observe(ns))
      expect(second.last()).toEqual(first.last())
      first.stop()
      second.stop()
    },
  },
  {
    title: 'delivers nothing after a watcher has left',
    run: async ({ store, until }, ns) => {
      const left = record(store.observe(ns))
      const stays = record(store.observe(ns))
      left.stop()
      const before = left.states.length
      await store.write(request(ns, '/a=>/b'))
      await until('the change', () => stays.last()?.version === 1)
      expect(left.states).toHaveLength(before)
      stays.stop()
    },
  },
  {
    title: 'shows a write to its watchers before, or as soon as, the writer has its answer',
    run: async ({ store, until }, ns) => {
      const cell = store.observe(ns)
      const seen = record(cell)
      await until('known', () => seen.states.at(-1)?.kind === 'ok')
      const { written } = await store.write(request(ns, '/a=>/b'))
      await until('applied', () => seen.last()?.version === written.version)
      const state = cell.peek()
      expect(state.kind === 'ok' && state.value).toEqual(written)
      seen.stop()
    },
  },
  {
    title: 'lists nothing while it is empty',
    fresh: true,
    run: async ({ store, until }) => {
      const seen = record(store.list())
      await until('an answer', () => seen.last() !== undefined)
      expect(seen.last()).toEqual([])
      seen.stop()
    },
  },
  {
    title: 'lists one namespace with its head, author, message, time and size',
    fresh: true,
    run: async ({ store, until }, ns) => {
      const { written } = await store.write(request(ns, '/a=>/b # ñ', { author: 'bo', verified: true, message: 'why' }))
      const seen = record(store.list())
      await until('the listing', () => seen.last()?.length === 1)
      const { time } = written.meta
      const summary = {
        namespace: ns,
        version: 1,
        deleted: false,
        author: 'bo',
        verified: true,
        message: 'why',
        time,
        bytes: 11,
      }
      expect(seen.last()).toEqual([summary])
      seen.stop()
    },
  },
  {
    title: 'lists many namespaces in the order of their names',
    run: async ({ store, until }, ns) => {
      const names = ['b', 'a', 'C', '10', '9', 'a-b', 'a.b'].map(name => `${ns}-${name}`)
      for (const name of names) await store.write(request(name, '/a=>/b'))
      const seen = record(store.list())
      await until('all', () => ours(`${ns}-`, seen.last()).length === names.length)
      expect(ours(`${ns}-`, seen.last()).map(summary => summary.namespace)).toEqual([...names].sort())
      seen.stop()
    },
  },
  {
    title: 'lists a deleted namespace as deleted, so that it can be restored',
    run: async ({ store, until }, ns) => {
      await store.write(request(ns, '/a=>/b'))
      await store.write(request(ns, undefined))
      const seen = record(store.list())
      await until('the tombstone', () => ours(ns, seen.last())[0]?.version === 2)
      expect(ours(ns, seen.last())).toMatchObject([{ namespace: ns, deleted: true, bytes: 0 }])
      seen.stop()
    },
  },
  {
    title: 'delivers a listing when a namespace comes, changes and goes',
    run: async ({ store, until }, ns) => {
      const seen = record(store.list())
      const present = (): NamespaceSummary | undefined => ours(ns, seen.last())[0]
      await store.write(request(ns, '/a=>/b'))
      await until('it comes', () => present()?.version === 1)
      await store.write(request(ns, '/a=>/c'))
      await until('it changes', () => present()?.version === 2)
      await store.write(request(ns, undefined))
      await until('it goes', () => present()?.deleted === true)
      seen.stop()
    },
  },
  {
    title: 'closes its watches and timers some time after the last watcher left',
    fresh: true,
    run: async (fixture, ns) => {
      const { store, kernel } = fixture
      const before = fixture.waiting
      const cells: readonly Cell<unknown>[] = [store.observe(ns), store.list(), store.presence()]
      const watchers = cells.map(cell => record<unknown>(cell))
      await fixture.until('known', () => watchers.every(watcher => watcher.states.at(-1)?.kind === 'ok'))
      expect(kernel.counts().openSources).toBe(3)
      for (const watcher of watchers) watcher.stop()
      await fixture.pass(15_000)
      expect(kernel.counts()).toMatchObject({ openSources: 0, watchers: 0 })
      expect(fixture.waiting).toBe(before)
    },
  },
  {
    title: 'delivers the truth to one who comes back after its watches were closed',
    fresh: true,
    run: async ({ store, pass, until }, ns) => {
      const first = record<Version | undefined>(store.observe(ns))
      await until('known', () => first.states.at(-1)?.kind === 'ok')
      first.stop()
      await pass(15_000)
      await store.write(request(ns, '/a=>/b'))
      const second = record(store.observe(ns))
      await until('the head', () => second.last()?.version === 1)
      second.stop()
    },
  },
]
