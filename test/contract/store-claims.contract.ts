// Leases and presence of every store.
import { expect } from 'vitest'
import type { Lease, PresenceRecord } from '../../storage/store.ts'
import { codeOf, type StoreCase, type StoreFixture } from './store.contract.ts'

const ttlMs = 10_000

const isHeld = (lease: Lease | undefined): boolean => {
  const state = lease?.held.peek()
  return state?.kind === 'ok' && state.value
}

/** The records of this case, as they come. */
function watchRecords({ store }: StoreFixture, ns: string): { now(): readonly PresenceRecord[]; stop(): void } {
  let records: readonly PresenceRecord[] = []
  const stop = store.presence().watch(state => {
    if (state.kind === 'ok') records = state.value
  })
  return { now: () => records.filter(record => record.id.startsWith(ns)), stop }
}

export const claimCases: readonly StoreCase[] = [
  {
    title: 'gives a lease to the first and to nobody else',
    run: async ({ store }, ns) => {
      const first = await store.lease(ns, ttlMs)
      expect(isHeld(first)).toBe(true)
      expect(await store.lease(ns, ttlMs)).toBeUndefined()
      await first?.release()
    },
  },
  {
    title: 'gives a lease to one of ten who ask at once',
    run: async ({ store }, ns) => {
      const leases = await Promise.all(Array.from({ length: 10 }, () => store.lease(ns, ttlMs)))
      const taken = leases.filter(lease => lease !== undefined)
      expect(taken).toHaveLength(1)
      await taken[0]?.release()
    },
  },
  {
    title: 'gives a released lease to the next, and tells the holder',
    run: async ({ store }, ns) => {
      const first = await store.lease(ns, ttlMs)
      await first?.release()
      expect(isHeld(first)).toBe(false)
      const second = await store.lease(ns, ttlMs)
      expect(isHeld(second)).toBe(true)
      await second?.release()
    },
  },
  {
    title: 'takes a second release of an old lease as nothing',
    run: async ({ store }, ns) => {
      const first = await store.lease(ns, ttlMs)
      await first?.release()
      const second = await store.lease(ns, ttlMs)
      await first?.release()
      expect(isHeld(second)).toBe(true)
      expect(await store.lease(ns, ttlMs)).toBeUndefined()
      await second?.release()
    },
  },
  {
    title: 'keeps leases of different names apart',
    run: async ({ store }, ns) => {
      const [one, two] = await Promise.all([store.lease(`${ns}-1`, ttlMs), store.lease(`${ns}-2`, ttlMs)])
      expect([isHeld(one), isHeld(two)]).toEqual([true, true])
      await one?.release()
      await two?.release()
    },
  },
  {
    title: 'renews a lease by itself for as long as it is wanted',
    run: async ({ store, pass }, ns) => {
      const lease = await store.lease(ns, ttlMs)
      await pass(5 * ttlMs)
      expect(isHeld(lease)).toBe(true)
      expect(await store.lease(ns, ttlMs)).toBeUndefined()
      await lease?.release()
    },
  },
  {
    title: 'refuses a lease of under ten seconds',
    run: async ({ store }, ns) => expect(await codeOf(store.lease(ns, ttlMs - 1))).toBe('bad-request'),
  },
  {
    title: 'has nobody present while nobody is announced',
    fresh: true,
    run: async fixture => {
      const records = watchRecords(fixture, '')
      await fixture.until('an answer', () => fixture.store.presence().peek().kind === 'ok')
      expect(records.now()).toEqual([])
      records.stop()
    },
  },
  {
    title: 'shows who is announced, in the order of their ids',
    run: async (fixture, ns) => {
      const records = watchRecords(fixture, ns)
      const second = await fixture.store.announce(`${ns}-b`, 'two', ttlMs)
      const first = await fixture.store.announce(`${ns}-a`, 'one', ttlMs)
      await fixture.until('both', () => records.now().length === 2)
      expect(records.now()).toMatchObject([
        { id: `${ns}-a`, data: 'one' },
        { id: `${ns}-b`, data: 'two' },
      ])
      await Promise.all([first.withdraw(), second.withdraw()])
      await fixture.until('none', () => records.now().length === 0)
      records.stop()
    },
  },
  {
    title: 'shows new data of a record',
    run: async (fixture, ns) => {
      const records = watchRecords(fixture, ns)
      const presence = await fixture.store.announce(ns, 'old', ttlMs)
      await presence.update('new')
      await fixture.until('the new data', () => records.now()[0]?.data === 'new')
      await presence.withdraw()
      records.stop()
    },
  },
  {
    title: 'keeps a record far beyond its time to live while it is wanted',
    run: async (fixture, ns) => {
      const records = watchRecords(fixture, ns)
      const presence = await fixture.store.announce(ns, 'here', ttlMs)
      await fixture.pass(5 * ttlMs)
      expect(records.now()).toHaveLength(1)
      await presence.withdraw()
      records.stop()
    },
  },
  {
    title: 'lets a second announcement of an id take it over',
    run: async (fixture, ns) => {
      const records = watchRecords(fixture, ns)
      const old = await fixture.store.announce(ns, 'old', ttlMs)
      const taker = await fixture.store.announce(ns, 'taker', ttlMs)
      await old.withdraw()
      await fixture.until('the taker', () => records.now()[0]?.data === 'taker')
      await taker.withdraw()
      records.stop()
    },
  },
  {
    title: 'refuses new data for a record that was withdrawn',
    run: async ({ store }, ns) => {
      const presence = await store.announce(ns, 'here', ttlMs)
      await presence.withdraw()
      await presence.withdraw()
      expect(await codeOf(presence.update('again'))).toBe('not-found')
    },
  },
]
