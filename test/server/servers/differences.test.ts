import { describe, expect, it } from 'vitest'
import { createWorld, type World } from './servers.fixture.ts'

/** This server at version 1 of `default`, and `b` at the given one. */
async function twoServers(version: number): Promise<World> {
  const world = createWorld()
  await world.write('default')
  await world.appear('b')
  world.network.greet('b', { default: version })
  return world
}

/** `b` shows that it is alive all the while. */
function pass(world: World, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    world.clock.advance(1_000)
    world.network.say('b')
  }
}

const errors = (world: World): readonly string[] =>
  world.log.filter(({ level }) => level === 'error').map(({ message }) => message)

describe('servers that go by different versions', () => {
  it('are no alarm for five seconds, and one alarm after it', async () => {
    const world = await twoServers(2)
    pass(world, 5)
    expect([world.disagreements(), errors(world)]).toEqual([[], []])
    pass(world, 1)
    const versions = new Map([
      ['self', 1],
      ['b', 2],
    ])
    expect(world.disagreements()).toEqual([{ namespace: 'default', since: 1_700_000_000_000, versions }])
    pass(world, 20)
    expect(errors(world)).toEqual(['servers of this store go by different versions of a dtab'])
    expect(world.servers.counts()).toEqual({ present: 2, silent: 0, differing: 1 })
  })

  it('are said to agree once they do', async () => {
    const world = await twoServers(2)
    pass(world, 8)
    await world.write('default')
    expect(world.disagreements()).toEqual([])
    expect(world.log.at(-1)).toMatchObject({ level: 'info', message: 'servers go by the same version again' })
  })

  it('are no alarm while the one that is behind keeps coming to what the other had five seconds ago', async () => {
    const world = await twoServers(2)
    for (let version = 3; version < 30; version++) {
      pass(world, 1)
      await world.write('default')
      world.network.say('b', { default: version })
    }
    expect([world.disagreements(), errors(world)]).toEqual([[], []])
  })

  it('have fifteen seconds where one knows of no such namespace', async () => {
    const world = await twoServers(1)
    world.network.say('b', { new: 1 })
    pass(world, 15)
    expect(world.disagreements()).toEqual([])
    pass(world, 1)
    expect(world.disagreements().map(({ namespace }) => namespace)).toEqual(['new'])
  })

  it('are not compared with one that does not reply', async () => {
    const world = await twoServers(2)
    world.clock.advance(20_000)
    expect(world.disagreements()).toEqual([])
    expect(world.states()[0]).toContain('no answer')
  })

  it('are a hint to the store of the one behind: at once, and each second', async () => {
    const world = await twoServers(2)
    expect(world.hints).toEqual(['default 2'])
    pass(world, 2)
    expect(world.hints).toEqual(['default 2', 'default 2', 'default 2'])
    await world.write('default')
    pass(world, 3)
    expect(world.hints).toHaveLength(3)
  })

  it('are a hint at once for each newer version, though a third one lags', async () => {
    const world = await twoServers(1)
    await world.appear('c')
    world.network.greet('c', { default: 1 })
    world.network.say('b', { default: 2 })
    world.network.say('b', { default: 3 })
    expect(world.hints).toEqual(['default 2', 'default 3'])
  })

  it('by the thousand give ten lines of log and a count', async () => {
    const world = await twoServers(1)
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`ns-${n}`, 1]))
    world.network.say('b', many)
    pass(world, 17)
    expect(errors(world)).toHaveLength(11)
    expect(world.servers.counts().differing).toBe(1_000)
  })

  it('leave no timer behind when they agree', async () => {
    const world = await twoServers(1)
    const { waiting } = world.clock
    world.network.say('b', { default: 2 })
    expect(world.clock.waiting).toBeGreaterThan(waiting)
    await world.write('default')
    pass(world, 2)
    expect(world.clock.waiting).toBe(waiting)
  })
})
