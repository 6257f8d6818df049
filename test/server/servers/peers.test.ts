import { describe, expect, it } from 'vitest'
import { appear } from '../../fakes/servers.fake.ts'
import { createWorld } from './servers.fixture.ts'

describe('a server of the same store', () => {
  it('is followed once it is present, and replies once it has said all it goes by', async () => {
    const world = createWorld()
    expect(world.states()).toEqual(['self replies'])
    await world.appear('b')
    expect(world.states()).toEqual(['b it has not been asked yet', 'self replies'])
    world.network.greet('b', { default: 7 })
    expect(world.states()).toEqual(['b replies', 'self replies'])
    expect(world.list()[0]).toMatchObject({ address: 'b:1', dtabs: new Map([['default', 7]]), isSelf: false })
  })

  it('does not reply before it has said everything', async () => {
    const world = createWorld()
    await world.appear('b')
    world.network.begin('b', 'b')
    world.network.say('b', { default: 7 })
    expect(world.states()[0]).toBe('b it does not know yet what its store holds')
    expect(world.list()[0]?.dtabs.size).toBe(0)
    world.network.greet('b', { other: 1 })
    expect(world.list()[0]?.dtabs).toEqual(
      new Map([
        ['default', 7],
        ['other', 1],
      ]),
    )
  })

  it('does not reply any more when nothing was heard for three seconds, and is dialled again', async () => {
    const world = createWorld()
    await world.appear('b')
    world.network.greet('b', { default: 7 })
    for (let second = 0; second < 10; second++) {
      world.clock.advance(1_000)
      world.network.say('b')
    }
    expect(world.states()[0]).toBe('b replies')
    world.clock.advance(2_999)
    expect(world.states()[0]).toBe('b replies')
    world.clock.advance(1)
    expect(world.states()[0]).toBe('b nothing was heard for 3000 ms')
    expect(world.list()[0]).toMatchObject({ replies: false, dtabs: new Map([['default', 7]]) })
    world.clock.advance(1_000)
    expect(world.network.dials.get('b:1')).toBe(2)
    world.network.greet('b', { other: 1 })
    expect(world.list()[0]).toMatchObject({ replies: true, dtabs: new Map([['other', 1]]) })
  })

  it('is dialled ever more rarely while it is away, at least every eight seconds', async () => {
    const world = createWorld()
    await world.appear('b')
    for (let second = 0; second < 100; second++) {
      world.network.lose('b', 'connection refused')
      world.clock.advance(1_000)
    }
    const dials = world.network.dials.get('b:1') ?? 0
    expect(dials).toBeGreaterThan(100 / 8)
    expect(dials).toBeLessThan(50)
    expect(world.states()[0]).toBe('b connection refused')
  })

  it('is gone when one that started later answers at its address', async () => {
    const world = createWorld()
    await appear(world.memory, 'c', 2)
    await world.appear('b')
    world.network.begin('b', 'c')
    expect(world.states()[0]).toBe('b it is gone: the server c has its address now')
  })

  it('is not believed when another one answers at its address', async () => {
    const world = createWorld()
    await world.appear('b')
    world.network.begin('b', 'c')
    expect(world.states()[0]).toContain('b the server c answers at its address')
    expect(world.network.open).toEqual([])
    world.clock.advance(1_000)
    world.network.greet('b')
    expect(world.states()[0]).toBe('b replies')
  })

  it('is in the log when it fails twice in a row, and when it replies again', async () => {
    const world = createWorld()
    await world.appear('b')
    const told = (): readonly string[] =>
      world.log.filter(({ level }) => level !== 'debug').map(({ message }) => message)
    world.network.greet('b')
    world.network.lose('b', 'it is stopping')
    world.clock.advance(500)
    world.network.greet('b')
    expect(told()).toEqual(['a server of this store replies'])
    world.network.lose('b', 'it is stopping')
    for (let second = 0; second < 20; second++) {
      world.clock.advance(1_000)
      world.network.lose('b', 'connection refused')
    }
    expect(told().slice(1)).toEqual(['a server of this store does not reply'])
    world.clock.advance(10_000)
    world.network.greet('b')
    expect(told().slice(2)).toEqual(['a server of this store replies'])
  })

  it('is forgotten when it is present no more and its stream has ended', async () => {
    const world = createWorld()
    const presence = await world.appear('b')
    world.network.greet('b')
    await presence.withdraw()
    expect(world.states()).toEqual(['b replies', 'self replies'])
    world.network.lose('b', 'it stops')
    expect(world.states()).toEqual(['self replies'])
    world.clock.advance(60_000)
    expect([world.network.open, world.network.dials.get('b:1')]).toEqual([[], 1])
  })

  it('is forgotten with its stream when it is present no more and does not reply', async () => {
    const world = createWorld()
    const presence = await world.appear('b')
    await presence.withdraw()
    expect([world.states(), world.network.open]).toEqual([['self replies'], []])
  })

  it('counts while it replies, though the store has forgotten it: it may be cut off from there, and serve on', async () => {
    const world = createWorld()
    const presence = await world.appear('b')
    world.network.greet('b', { default: 1 })
    await presence.withdraw()
    await world.write('default')
    await world.write('default')
    expect(world.states()).toEqual(['b replies', 'self replies'])
    expect(await world.applied('default', 2, 'all', 0)).toMatchObject({ all: false })
    for (let second = 0; second < 7; second++) {
      world.network.say('b')
      world.clock.advance(1_000)
    }
    expect(world.disagreements()).toMatchObject([{ namespace: 'default' }])
    await world.appear('b')
    expect([world.states(), world.network.dials.get('b:1')]).toEqual([['b replies', 'self replies'], 1])
  })

  it('is dialled anew when it has started again', async () => {
    const world = createWorld()
    await world.appear('b')
    world.network.greet('b', { default: 7 })
    await appear(world.memory, 'b', 2)
    expect(world.states()[0]).toBe('b it has not been asked yet')
    expect(world.network.dials.get('b:1')).toBe(2)
  })

  it('is never this server itself, nor one that had its address before', async () => {
    const world = createWorld('gone:1')
    await world.appear('self')
    await world.appear('gone')
    expect(world.states()).toEqual(['gone it is gone: this server has its address now', 'self replies'])
    expect(world.network.dials.size).toBe(0)
  })

  it('is not called gone when it began to use the address of this server later', async () => {
    const world = createWorld('twin:1')
    await appear(world.memory, 'twin', world.clock.now() + 1)
    expect(world.states()[1]).toBe(
      'twin it names the address of this server as its own; is server.advertise right in both?',
    )
  })

  it('is followed up to the sixty-fourth; the rest are named, and the log says so once', async () => {
    const world = createWorld()
    for (let n = 0; n < 70; n++) await world.appear(`s${n}`)
    expect(world.network.open).toHaveLength(64)
    expect(world.list()).toHaveLength(71)
    expect(world.list().filter(({ error }) => error?.includes('more than 64'))).toHaveLength(6)
    expect(world.log.filter(({ message }) => message === 'too many servers on one store')).toHaveLength(1)
  })

  it('leaves nothing behind when this server closes', async () => {
    const world = createWorld()
    await world.appear('b')
    world.network.greet('b', { default: 7 })
    world.servers.close()
    world.clock.advance(60_000)
    expect(world.network.open).toEqual([])
    expect(world.network.dials.get('b:1')).toBe(1)
  })
})
