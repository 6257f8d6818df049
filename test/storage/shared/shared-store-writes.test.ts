// Writes of several servers to one backend, whose answers are lost, late or not what was hoped for.
import { afterEach, describe, expect, it } from 'vitest'
import type { Expectation, Version } from '../../../storage/store.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
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

const longPast: readonly Version[] = Array.from({ length: 30 }, (_, i) => ({
  namespace: 'web',
  version: i + 1,
  text: `/a=>/b${i}`,
  meta: { author: 'bo', verified: false, message: '', time: 1, parent: i },
}))

const at = (...versions: number[]): Expectation => ({ kind: 'version', versions })
const key = (name: string) => ({ idempotency: { key: name, fingerprint: 'print' } })

/** Settles with the clock running, so that pauses end. */
async function inTime<T>(rig: SharedRig, work: Promise<T>, ms = 15_000): Promise<T> {
  work.catch(() => {})
  await rig.pass(ms)
  return work
}

describe('a write to a shared backend', () => {
  it('goes on the head that another server made, and never on an older one', async () => {
    const rig = open({ servers: 2 })
    const [one, two] = rig.servers
    await one?.store.write(request('web', '/a=>/b'))
    expect(await two?.store.write(request('web', '/a=>/c'))).toMatchObject({
      written: { version: 2, meta: { parent: 1 } },
    })
    expect(await codeOf(one?.store.write(request('web', '/a=>/d', { expect: at(1) })) ?? Promise.resolve())).toBe(
      'dtab-version-mismatch',
    )
  })

  it('reads no head that its server has read or written within a second', async () => {
    const rig = open()
    await rig.store.head('web')
    const reads = rig.backend.count('readHead')
    for (const text of ['/a=>/b', '/a=>/c', '/a=>/d']) await rig.store.write(request('web', text))
    expect(await rig.store.write(request('web', '/a=>/e', { expect: at(3) }))).toMatchObject({
      written: { version: 4, meta: { parent: 3 } },
      replaced: { version: 3, text: '/a=>/d' },
    })
    expect(rig.backend.count('readHead') - reads).toBe(0)
    await rig.pass(1_000)
    await rig.store.write(request('web', '/a=>/f'))
    expect(rig.backend.count('readHead') - reads).toBe(1)
  })

  it('is judged by the head as it is, where the one of a moment ago would refuse it', async () => {
    const rig = open({ servers: 2 })
    const [one, two] = rig.servers
    await one?.store.write(request('web', '/a=>/b'))
    await two?.store.write(request('web', '/a=>/c'))
    expect(await one?.store.write(request('web', '/a=>/d', { expect: at(2) }))).toMatchObject({
      written: { version: 3, meta: { parent: 2 } },
      replaced: { version: 2, text: '/a=>/c' },
    })
  })

  it('goes on the head that its server has seen since, without a commit in vain', async () => {
    const rig = open({ servers: 2 })
    const [one, two] = rig.servers
    one?.store.list().watch(() => {})
    await one?.store.write(request('web', '/a=>/b'))
    await two?.store.write(request('web', '/a=>/c'))
    await rig.pass(0)
    const commits = rig.backend.count('commit')
    await one?.store.write(request('web', '/a=>/d'))
    expect(rig.backend.count('commit') - commits).toBe(1)
  })

  it('is tried again on the new head when another server was faster, its expectation checked anew', async () => {
    const rig = open({ servers: 2 })
    const writes = rig.servers.flatMap(({ store }, i) => [
      store.write(request('blind', `/a=>/b${i}`)),
      store.write(request('first', `/a=>/b${i}`, { expect: { kind: 'absent' } })),
    ])
    const outcomes = await inTime(rig, Promise.all(writes.map(codeOf)))
    expect(outcomes.filter(code => code === 'dtab-exists')).toHaveLength(1)
    expect(await rig.store.head('blind')).toMatchObject({ version: 2 })
    expect(await rig.store.head('first')).toMatchObject({ version: 1 })
  })

  it('of one server stands in line: fifty writers lose no race against each other', async () => {
    const rig = open()
    await Promise.all(Array.from({ length: 50 }, (_, i) => rig.store.write(request('web', `/a=>/b${i}`))))
    expect(rig.backend.count('commit')).toBe(50)
  })

  it('that was made, but whose answer was lost, is answered as made, once, without a key too', async () => {
    const rig = open()
    for (const more of [{}, key('k')]) {
      rig.backend.faults.push('lost')
      const { written } = await inTime(rig, rig.store.write(request('web', '/a=>/b', more)))
      expect(await rig.store.head('web')).toEqual(written)
    }
    expect(await rig.store.history('web', { limit: 9 })).toHaveLength(2)
  })

  it('that was not made and not answered is made by the next try', async () => {
    const rig = open()
    rig.backend.faults.push('dropped', 'dropped')
    const result = await inTime(rig, rig.store.write(request('web', '/a=>/b', { expect: { kind: 'absent' } })))
    expect(result).toMatchObject({ written: { version: 1 }, repeated: false })
    expect(rig.backend.count('commit')).toBe(3)
  })

  it('whose answer was lost is recognised under what others wrote after it', async () => {
    const rig = open({ servers: 2 })
    await rig.store.write(request('web', '/a=>/0'))
    rig.backend.faults.push('lost')
    const lost = rig.store.write(request('web', '/a=>/1', { expect: at(1) }))
    await rig.until('it was made', () => rig.backend.sighting('web').record?.version === 2)
    await rig.servers[1]?.store.write(request('web', '/a=>/2'))
    expect(await inTime(rig, lost)).toMatchObject({ written: { version: 2, text: '/a=>/1' }, replaced: { version: 1 } })
    expect(await rig.store.head('web')).toMatchObject({ version: 3, text: '/a=>/2' })
  })

  it('is not taken for made because another wrote the same text under its number', async () => {
    const rig = open({ servers: 2 })
    rig.backend.faults.push('dropped')
    const dropped = rig.store.write(request('web', '/a=>/b', { expect: at(0) }))
    await rig.until('it was sent', () => rig.backend.count('commit') === 1)
    await rig.servers[1]?.store.write(request('web', '/a=>/b', { author: 'bo' }))
    expect(await inTime(rig, codeOf(dropped))).toBe('dtab-version-mismatch')
    expect(await rig.store.history('web', { limit: 9 })).toHaveLength(1)
  })

  it('says that its outcome is unknown when the backend stays away, and is answered by its key later', async () => {
    const rig = open()
    rig.backend.faults.push('lost')
    const write = rig.store.write(request('web', '/a=>/b', key('k')))
    const outcome = expect(write).rejects.toMatchObject({ code: 'store-unavailable', detail: { outcome: 'unknown' } })
    await rig.until('it was made', () => rig.backend.sighting('web').record?.version === 1)
    rig.backend.down()
    await rig.pass(20_000)
    await outcome
    rig.backend.up()
    expect(await rig.store.write(request('web', '/a=>/b', key('k')))).toMatchObject({
      written: { version: 1 },
      repeated: true,
    })
  })

  it('fails at once, with nothing written, when the backend is away from the start', async () => {
    const rig = open()
    rig.backend.down()
    expect(await codeOf(rig.store.write(request('web', '/a=>/b')))).toBe('store-unavailable')
    expect(rig.backend.count('commit')).toBe(0)
  })

  it('is refused when it has stood in line for ten seconds behind a backend that hangs', async () => {
    const rig = open()
    rig.backend.isHanging = true
    const writes = Array.from({ length: 10 }, () => codeOf(rig.store.write(request('web', '/a=>/b'))))
    await rig.pass(15_000)
    const codes = await Promise.all(writes)
    expect(codes.slice(0, 3)).toEqual(['store-unavailable', 'store-unavailable', 'store-unavailable'])
    expect(codes.slice(4)).toEqual(Array.from({ length: 6 }, () => 'store-busy'))
    expect(rig.backend.count('commit')).toBe(0)
  })

  it('passes over a number that a write which was cut off has taken', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    rig.backend.faults.push('cut-off')
    const { written } = await inTime(rig, rig.store.write(request('web', '/a=>/c')))
    expect(written).toMatchObject({ version: 3, meta: { parent: 1 } })
    expect((await rig.store.history('web', { limit: 9 })).map(({ version }) => version)).toEqual([3, 1])
    expect(await rig.store.version('web', 2)).toBeUndefined()
  })

  it('of a whole history is made by the next import, when the last step of the first was cut off', async () => {
    const rig = open()
    const versions = longPast.slice(0, 3)
    rig.backend.faults.push('cut-off')
    expect(await codeOf(rig.store.importHistory('web', versions))).toBe('store-unavailable')
    expect(await rig.store.history('web', { limit: 9 })).toEqual([])
    expect(await rig.store.importHistory('web', versions)).toMatchObject({ version: 3 })
    expect(await rig.store.history('web', { limit: 9 })).toHaveLength(3)
  })

  it('of a whole history counts, with all of its past, though the answer to its last step was lost', async () => {
    const rig = open()
    rig.backend.faults.push('lost')
    expect(await rig.store.importHistory('web', longPast)).toMatchObject({ version: 30 })
    expect(await rig.store.history('web', { limit: 99 })).toHaveLength(30)
  })

  it("of a whole history is one server's at a time, and the other takes nothing of it away", async () => {
    const rig = open({ servers: 2 })
    const imports = rig.servers.map(({ store }) => codeOf(store.importHistory('web', longPast)))
    expect(new Set(await inTime(rig, Promise.all(imports)))).toEqual(new Set([undefined, 'store-busy']))
    expect(await rig.store.history('web', { limit: 99 })).toHaveLength(30)
    const [, other] = rig.servers
    expect(await inTime(rig, codeOf(other?.store.importHistory('web', longPast) ?? Promise.resolve()))).toBe(
      'dtab-exists',
    )
  })

  it('made while a history comes in stands, whole, and nothing of the history does', async () => {
    const rig = open({ servers: 2 })
    const [, other] = rig.servers
    async function* meanwhile(): AsyncGenerator<Version> {
      yield* longPast.slice(0, 20)
      await other?.store.write(request('web', '/a=>/meanwhile'))
      yield* longPast.slice(20)
    }
    expect(await inTime(rig, codeOf(rig.store.importHistory('web', meanwhile())))).toBe('dtab-exists')
    const { version = 0 } = (await rig.store.head('web')) ?? {}
    expect(await rig.store.version('web', version)).toMatchObject({ text: '/a=>/meanwhile' })
    expect(await rig.store.history('web', { limit: 99 })).toHaveLength(1)
  })

  it('with a key that two servers were given is made once', async () => {
    const rig = open({ servers: 3 })
    const writes = rig.servers.map(({ store }) => store.write(request('web', '/a=>/b', key('k'))))
    const results = await inTime(rig, Promise.all(writes))
    expect(results.map(({ written }) => written.version)).toEqual([1, 1, 1])
    expect(results.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(await rig.store.history('web', { limit: 9 })).toHaveLength(1)
  })

  it('gives up as busy when others are always faster, and says that nothing was written', async () => {
    const rig = open()
    rig.backend.isAlwaysMoved = true
    expect(await inTime(rig, codeOf(rig.store.write(request('web', '/a=>/b'))))).toBe('store-busy')
  })

  it('is refused as full when the backend is, and reading goes on', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b'))
    rig.backend.faults.push('full')
    expect(await codeOf(rig.store.write(request('web', '/a=>/c')))).toBe('store-full')
    expect(await rig.store.head('web')).toMatchObject({ version: 1 })
  })

  it('settles before a close ends', async () => {
    const rig = open()
    const write = rig.store.write(request('web', '/a=>/b'))
    await rig.store.close()
    expect((await write).written.version).toBe(1)
    for (const call of [
      rig.store.head('web'),
      rig.store.version('web', 1),
      rig.store.history('web', { limit: 1 }),
      rig.store.forget('web', [1]),
    ])
      expect(await codeOf(call)).toBe('store-unavailable')
  })

  it('lets old keys go about once an hour', async () => {
    const rig = open()
    await rig.store.write(request('web', '/a=>/b', key('k')))
    for (let hour = 0; hour < 26; hour++) {
      rig.clock.advance(60 * 60 * 1000)
      await Promise.resolve()
    }
    expect(rig.backend.count('dropKeys')).toBe(26)
    expect(rig.backend.ground.keys.size).toBe(0)
  })
})
