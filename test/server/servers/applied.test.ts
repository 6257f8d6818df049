import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { loneServer } from '../../fakes/servers.fake.ts'
import { createWorld } from './servers.fixture.ts'

describe('waiting until servers go by a version', () => {
  it('ends at once when this server does, whoever else there is', async () => {
    const world = createWorld()
    await world.write('default')
    await world.appear('b')
    expect(await world.applied('default', 1, 'applied')).toEqual({
      all: true,
      servers: [{ id: 'self', replied: true, applied: true, version: 1 }],
    })
  })

  it('ends when the last one says so, a later version being as good', async () => {
    const world = createWorld()
    await world.write('default')
    await world.appear('b')
    world.network.greet('b')
    const waiting = world.applied('default', 1, 'all')
    world.network.say('b', { default: 3 })
    world.clock.settle()
    expect(await waiting).toEqual({
      all: true,
      servers: [
        { id: 'b', replied: true, applied: true, version: 3 },
        { id: 'self', replied: true, applied: true, version: 1 },
      ],
    })
  })

  it('is not over while the store does not say who is present: there may be others', async () => {
    const world = createWorld()
    await world.write('default')
    world.hidePresence(new Error('no quorum'))
    expect(world.servers.list().peek()).toMatchObject({ stale: { reason: { message: 'no quorum' } } })
    expect((await world.applied('default', 1, 'applied')).all).toBe(true)
    const inVain = world.applied('default', 1, 'all', 1_000)
    world.clock.advance(1_000)
    expect(await inVain).toEqual({ all: false, servers: [{ id: 'self', replied: true, applied: true, version: 1 }] })
    const waiting = world.applied('default', 1, 'all', 1_000)
    world.hidePresence(undefined)
    expect((await waiting).all).toBe(true)
    expect(world.servers.list().peek()).not.toHaveProperty('stale')
  })

  it('is not over before the store was asked who is present', async () => {
    const clock = new FakeClock()
    const kernel = createKernel({ clock, onError: error => expect.fail(String(error)) })
    const store = createMemoryStore({ kernel, clock })
    const servers = loneServer({ kernel, clock, random: () => 0.5, log: silentLog, metrics: createMetrics() }, store)
    servers.start()
    const { signal } = new AbortController()
    const wanted = { namespace: 'default', version: 0, scope: 'all', timeoutMs: 0, signal } as const
    const before = await servers.whenApplied(wanted)
    servers.follow(undefined)
    expect([before.all, (await servers.whenApplied(wanted)).all]).toEqual([false, true])
    servers.close()
  })

  it('ends with the time, and says who is behind and who does not reply', async () => {
    const world = createWorld()
    await world.write('default')
    await world.appear('b')
    await world.appear('c')
    world.network.greet('c')
    const waiting = world.applied('default', 1, 'all', 1_000)
    world.clock.advance(1_000)
    expect(await waiting).toEqual({
      all: false,
      servers: [
        { id: 'b', replied: false, applied: false },
        { id: 'c', replied: true, applied: false, version: 0 },
        { id: 'self', replied: true, applied: true, version: 1 },
      ],
    })
  })

  it('does not wait for one that has gone', async () => {
    const world = createWorld()
    await world.write('default')
    const presence = await world.appear('b')
    const waiting = world.applied('default', 1, 'all', 60_000)
    await presence.withdraw()
    world.clock.settle()
    expect(await waiting).toMatchObject({ all: true })
  })

  it('hints its own store, at once and each second, until it has come to the version', async () => {
    const world = createWorld()
    const waiting = world.applied('default', 1, 'applied', 500)
    expect(world.hints).toEqual(['default 1'])
    world.clock.advance(2_000)
    expect(await waiting).toMatchObject({ all: false })
    expect(world.hints).toHaveLength(3)
    await world.write('default')
    world.clock.advance(5_000)
    expect(world.hints).toHaveLength(3)
  })

  it('is said in the log when the server does not come to its own write within five seconds, once', async () => {
    const world = createWorld()
    const waiting = world.applied('default', 1, 'applied', 500)
    world.clock.advance(5_000)
    expect(await waiting).toMatchObject({ all: false })
    expect(world.log).toEqual([])
    world.clock.advance(30_000)
    expect(world.log).toEqual([
      {
        level: 'error',
        facts: { namespace: 'default', version: 1, goesBy: 0 },
        message: 'this server does not go by a version that was written through it',
      },
    ])
  })

  it('is no matter for the log while the server comes to each write a moment after the next one', async () => {
    const world = createWorld()
    await world.write('default')
    for (let version = 2; version < 40; version++) {
      const waiting = world.applied('default', version, 'applied', 100)
      world.clock.advance(1_000)
      expect(await waiting).toMatchObject({ all: false })
      await world.write('default')
    }
    expect(world.log).toEqual([])
  })

  it('goes by the rules where they are in use, not by the listing', async () => {
    const world = createWorld()
    await world.write('default')
    world.servers.own.takeInUse('default', 1)
    await world.write('default')
    const waiting = world.applied('default', 2, 'applied')
    world.clock.settle()
    world.servers.own.takeInUse('default', 2)
    world.clock.settle()
    expect(await waiting).toMatchObject({ all: true })
    world.servers.own.takeInUse('default', undefined)
    expect(world.servers.own.of('default')).toBe(2)
  })

  it('ends when whoever asked leaves, with nothing left behind', async () => {
    const world = createWorld()
    const { watchers } = world.kernel.counts()
    const left = new AbortController()
    const wanted = { namespace: 'x', version: 1, scope: 'all', timeoutMs: 60_000, signal: left.signal } as const
    const waiting = world.servers.whenApplied(wanted)
    left.abort()
    expect(await waiting).toMatchObject({ all: false })
    expect(world.kernel.counts().watchers).toBe(watchers)
  })
})
