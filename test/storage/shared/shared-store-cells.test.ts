// What observers of a shared backend see while its watch breaks, lags, repeats itself and goes back in time.
import { afterEach, describe, expect, it } from 'vitest'
import type { Version } from '../../../storage/store.ts'
import type { Cell } from '../../../watch/cell.ts'
import type { State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { openSharedRig, type SharedRig, type SharedRigOptions } from './shared-store.fixture.ts'

const rigs: SharedRig[] = []

function open(options?: SharedRigOptions): SharedRig {
  const rig = openSharedRig(options)
  rigs.push(rig)
  return rig
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close()
})

function record<T>(cell: Cell<T>): State<T>[] {
  const states: State<T>[] = []
  cell.watch(state => states.push(state))
  return states
}

/** The number that is shown, with a mark while it is stale. */
function shown(states: readonly State<Version | undefined>[]): unknown {
  const state = states.at(-1)
  if (state?.kind !== 'ok') return state?.kind
  const version = state.value?.version ?? 'absent'
  return state.stale === undefined ? version : `${version} stale`
}

describe('the cells of a shared store', () => {
  it('show what another server writes', async () => {
    const rig = open({ servers: 2 })
    const seen = record(rig.store.observe('web'))
    const list = record(rig.store.list())
    await rig.until('absent', () => shown(seen) === 'absent')
    await rig.servers[1]?.store.write(request('web', '/a=>/b'))
    await rig.until('version 1', () => shown(seen) === 1)
    expect(list.at(-1)).toMatchObject({ value: [{ namespace: 'web', version: 1, bytes: 6 }] })
  })

  it('read a text only when it changes, and none that nobody observes', async () => {
    const rig = open({ servers: 2 })
    const [one, two] = rig.servers
    for (const name of ['a', 'b', 'c']) await two?.store.write(request(name, '/a=>/b'))
    record(one?.store.list() ?? rig.store.list())
    const seen = record(rig.store.observe('a'))
    await rig.until('known', () => shown(seen) === 1)
    const reads = rig.backend.count('readHead')
    for (let i = 0; i < 3; i++) await two?.store.write(request('b', '/a=>/c'))
    rig.backend.down()
    rig.backend.up()
    await rig.pass(2_000)
    expect(rig.backend.count('readHead') - reads).toBe(0)
    expect(shown(seen)).toBe(1)
  })

  it('know that a namespace is absent without reading it, once all is known', async () => {
    const rig = open()
    record(rig.store.list())
    await rig.until('all is known', () => rig.store.list().peek().kind === 'ok')
    const seen = record(rig.store.observe('nobody'))
    await rig.pass(0)
    expect(shown(seen)).toBe('absent')
    expect(rig.backend.count('readHead')).toBe(0)
  })

  it('are stale from when the watch breaks until all is read again, and read no text that has not changed', async () => {
    const rig = open({ servers: 2 })
    for (const name of ['kept', 'changed']) await rig.store.write(request(name, '/a=>/b'))
    const [kept, changed] = [record(rig.store.observe('kept')), record(rig.store.observe('changed'))]
    const list = record(rig.store.list())
    await rig.until('known', () => shown(kept) === 1 && shown(changed) === 1)
    const reads = rig.backend.count('readHead')
    rig.backend.down()
    await rig.pass(0)
    expect([shown(kept), shown(changed)]).toEqual(['1 stale', '1 stale'])
    expect(list.at(-1)).toMatchObject({ kind: 'ok', stale: { reason: { code: 'store-unavailable' } } })
    rig.backend.isDown = false
    await rig.servers[1]?.store.write(request('changed', '/a=>/c'))
    rig.backend.up()
    await rig.until('both', () => shown(kept) === 1 && shown(changed) === 2)
    expect(list.at(-1)).not.toHaveProperty('stale')
    expect(rig.backend.count('readHead') - reads).toBe(2)
  })

  it('show a write of their own at once while the watch is broken, still as one that may be overtaken', async () => {
    const rig = open()
    const seen = record(rig.store.observe('web'))
    await rig.until('known', () => shown(seen) === 'absent')
    rig.backend.down()
    rig.backend.isDown = false
    await rig.store.write(request('web', '/a=>/b'))
    await rig.pass(0)
    expect(shown(seen)).toBe('1 stale')
    rig.backend.up()
    await rig.until('fresh', () => shown(seen) === 1)
  })

  it('never go back to an older sighting, be it late, repeated or out of order', async () => {
    const rig = open({ servers: 2 })
    const seen = record(rig.store.observe('web'))
    const list = record(rig.store.list())
    await rig.until('known', () => shown(seen) === 'absent')
    rig.backend.isWatchHeld = true
    for (let i = 1; i <= 5; i++) await rig.servers[1]?.store.write(request('web', `/a=>/b${i}`))
    rig.backend.deliver(sightings => [...sightings, ...[...sightings].reverse()])
    await rig.until('version 5', () => shown(seen) === 5)
    await rig.pass(1_000)
    const versions = seen.flatMap(state => (state.kind === 'ok' && state.value ? [state.value.version] : []))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    const listed = list.flatMap(state => (state.kind === 'ok' ? state.value.map(({ version }) => version) : []))
    expect(listed).toEqual([5])
  })

  it('take no answer that was under way while something newer was shown', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    const seen = record(rig.store.observe('web'))
    await rig.until('known', () => shown(seen) === 1)
    rig.backend.delayMs = 1_000
    const late = rig.store.head('web')
    await rig.pass(0)
    rig.backend.delayMs = 0
    await rig.store.write(request('web', '/a=>/c'))
    await rig.pass(2_000)
    expect((await late)?.version).toBe(1)
    expect(seen.filter(state => state.kind === 'ok').map(state => state.value?.version)).toEqual([1, 2])
  })

  it('go back with a backend that was restored, to another text under the same number too', async () => {
    const rig = open({ servers: 2 })
    await rig.store.write(request('web', '/a=>/old'))
    const copy = rig.backend.copy()
    const { revision } = rig.backend
    await rig.store.write(request('later', '/a=>/b'))
    await rig.store.write(request('web', '/a=>/newer'))
    const seen = ['web', 'later'].map(name => record(rig.store.observe(name)))
    const list = record(rig.store.list())
    await rig.until('known', () => shown(seen[0] ?? []) === 2 && shown(seen[1] ?? []) === 1)
    rig.backend.restore(copy, revision)
    await rig.until('back', () => shown(seen[0] ?? []) === 1 && shown(seen[1] ?? []) === 'absent')
    expect(list.at(-1)).toMatchObject({ value: [{ namespace: 'web', version: 1 }] })
    await rig.servers[1]?.store.write(request('web', '/a=>/other'))
    await rig.until('another 2', () => shown(seen[0] ?? []) === 2)
    expect(seen[0]?.at(-1)).toMatchObject({ value: { version: 2, text: '/a=>/other' } })
    expect(await rig.store.history('later', { limit: 1 })).toEqual([])
  })

  it('deliver another text under the same number when the restored backend is seen after it was written again', async () => {
    const rig = open({ servers: 2 })
    await rig.store.write(request('web', '/a=>/old'))
    const copy = rig.backend.copy()
    const { revision } = rig.backend
    await rig.store.write(request('web', '/a=>/lost'))
    const seen = record(rig.store.observe('web'))
    const list = record(rig.store.list())
    await rig.until('known', () => shown(seen) === 2)
    rig.backend.ground = structuredClone(copy)
    rig.backend.revision = revision
    rig.backend.isWatchHeld = true
    rig.clock.advance(5)
    await rig.servers[1]?.store.write(request('web', '/a=>/again', { author: 'bo' }))
    rig.backend.restore(rig.backend.copy(), rig.backend.revision)
    await rig.until('the other text', () => {
      const state = seen.at(-1)
      return state?.kind === 'ok' && state.value?.text === '/a=>/again'
    })
    expect(shown(seen)).toBe(2)
    expect(list.at(-1)).toMatchObject({ value: [{ version: 2, author: 'bo' }] })
  })

  it('take no answer that was asked for before the backend went back', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/old'))
    const copy = rig.backend.copy()
    const { revision } = rig.backend
    await rig.store.write(request('web', '/a=>/newer'))
    const seen = record(rig.store.observe('web'))
    await rig.until('known', () => shown(seen) === 2)
    const list = record(rig.store.list())
    rig.backend.delayMs = 1_000
    const late = rig.store.head('web')
    await rig.pass(0)
    rig.backend.delayMs = 0
    rig.backend.restore(copy, revision)
    await rig.pass(500)
    expect(shown(seen)).toBe(1)
    await rig.pass(1_000)
    expect((await late)?.version).toBe(2)
    expect(seen.filter(state => state.kind === 'ok').map(state => state.value?.version)).toEqual([2, 1])
    expect(list.at(-1)).toMatchObject({ value: [{ version: 1 }] })
  })

  it('read again at once for each newer version that somebody goes by, and once a second while that is not found', async () => {
    const rig = open({ servers: 2 })
    await rig.store.write(request('web', '/a=>/b'))
    const seen = record(rig.store.observe('web'))
    const list = record(rig.store.list())
    await rig.until('known', () => shown(seen) === 1)
    rig.backend.isWatchHeld = true
    await rig.servers[1]?.store.write(request('web', '/a=>/c'))
    const reads = rig.backend.count('readHead')
    rig.store.noticed('web', 1)
    await rig.pass(0)
    expect(rig.backend.count('readHead') - reads).toBe(0)
    for (let i = 0; i < 10; i++) rig.store.noticed('web', 2)
    await rig.until('version 2', () => shown(seen) === 2)
    expect(list.at(-1)).toMatchObject({ value: [{ version: 2 }] })
    await rig.servers[1]?.store.write(request('web', '/a=>/d'))
    rig.store.noticed('web', 3)
    await rig.until('version 3', () => shown(seen) === 3)
    expect(rig.backend.count('readHead') - reads).toBe(2)
    const behind = rig.backend.count('readHead')
    for (let i = 0; i < 10; i++) rig.store.noticed('web', 9)
    await rig.pass(3_000)
    expect(rig.backend.count('readHead') - behind).toBe(2)
    rig.store.noticed('web', 9)
    await rig.pass(0)
    expect(rig.backend.count('readHead') - behind).toBe(3)
  })

  it('read what is not there once while the watch is broken, not again and again', async () => {
    const rig = open()
    const seen = record(rig.store.observe('web'))
    await rig.until('absent', () => shown(seen) === 'absent')
    const reads = rig.backend.count('readHead')
    rig.backend.delayMs = 1
    for (const connection of rig.backend.connections) connection.breakWatch()
    const other = record(rig.store.observe('other'))
    await rig.pass(2_000)
    expect(shown(other)).toBe('absent stale')
    expect(rig.backend.count('readHead') - reads).toBe(1)
  })

  it('leave what vanished to its adoption, and show it stale while that fails', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    const seen = record(rig.store.observe('web'))
    await rig.until('known', () => shown(seen) === 1)
    rig.backend.delayMs = 1
    rig.backend.misfortune = () => 'full'
    rig.backend.wipe('web')
    const reads = rig.backend.count('readHead')
    await rig.pass(10_000)
    expect(shown(seen)).toBe('1 stale')
    expect(rig.backend.count('readHead') - reads).toBeLessThanOrEqual(8)
    rig.backend.misfortune = () => undefined
    await rig.pass(20_000)
    expect(shown(seen)).toBe(2)
  })

  it('follow the backend once for all of them, and not at all some time after the last was left', async () => {
    const rig = open()
    const before = rig.clock.waiting
    expect(rig.backend.follows).toBe(0)
    const stops = [
      ...['a', 'b', 'c'].map(name => rig.store.observe(name).watch(() => {})),
      rig.store.list().watch(() => {}),
      rig.store.refusals().watch(() => {}),
    ]
    await rig.until('known', () => rig.store.refusals().peek().kind === 'ok')
    expect(rig.backend.follows).toBe(1)
    for (const stop of stops) stop()
    await rig.pass(15_000)
    expect(rig.backend.follows).toBe(0)
    expect(rig.clock.waiting).toBe(before)
  })

  it('knock at a backend that is away with one read at a time, however many wait, and then read all', async () => {
    const rig = open({ servers: 2 })
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`)
    await Promise.all(names.map(name => rig.store.write(request(name, '/a=>/b'))))
    rig.backend.down()
    const seen = names.map(name => record(rig.store.observe(name)))
    await rig.pass(1_000)
    const reads = rig.backend.count('readHead')
    await rig.pass(20_000)
    expect(rig.backend.count('readHead') - reads).toBeLessThanOrEqual(80)
    rig.backend.up()
    await rig.pass(1_000)
    expect(seen.every(states => shown(states) === 1)).toBe(true)
  })
})
