import { describe, expect, it, onTestFinished } from 'vitest'
import { announce } from '../../../server/servers/announcement.ts'
import { createMemoryStore } from '../../../storage/memory/memory-store.ts'
import type { Presence, Store } from '../../../storage/store.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'

interface World {
  readonly clock: FakeClock
  readonly log: readonly LogLine[]
  /** While true, the store is away. */
  isAway: boolean
  announced: number
  present(): readonly string[]
  /** Takes our record, as a server of the same name does. */
  takeOver(data: string): Promise<Presence>
  close(): Promise<void>
}

function createWorld({ isAway = false } = {}): World {
  const clock = new FakeClock()
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock, onError })
  const store = createMemoryStore({ kernel, clock })
  const log: LogLine[] = []
  const guarded: Pick<Store, 'announce' | 'presence'> = {
    presence: () => store.presence(),
    announce: async (id, data, ttlMs) => {
      if (world.isAway) throw new Error('connection refused')
      world.announced++
      return await store.announce(id, data, ttlMs)
    },
  }
  const world: World = {
    clock,
    log,
    isAway,
    announced: 0,
    present: () => {
      const seen: string[] = []
      const unwatch = store.presence().watch(state => {
        if (state.kind === 'ok') seen.push(...state.value.map(({ id, data }) => `${id} ${data}`))
      })
      unwatch()
      return seen
    },
    takeOver: async data => {
      const presence = await store.announce('a', data, 10_000)
      clock.settle()
      return presence
    },
    close: () => announcement.close(),
  }
  const options = { store: guarded, clock, random: () => 0.5, log: recordingLog(log), id: 'a', data: 'mine' }
  const announcement = announce(options)
  onTestFinished(async () => {
    await store.close()
    kernel.close()
  })
  return world
}

/** Lets promises settle between the steps of the clock. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    world.clock.advance(500)
    await settled()
  }
}

const settled = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })

const said = (world: World, level: LogLine['level']): number => world.log.filter(line => line.level === level).length

describe('the announcement of a server', () => {
  it('stands while it runs and is withdrawn when it stops', async () => {
    const world = createWorld()
    await pass(world, 60_000)
    expect(world.present()).toEqual(['a mine'])
    await world.close()
    expect(world.present()).toEqual([])
    expect(world.announced).toBe(1)
  })

  it('is tried again until the store takes it; the log warns once', async () => {
    const world = createWorld({ isAway: true })
    await pass(world, 60_000)
    expect([world.present(), said(world, 'warn')]).toEqual([[], 1])
    world.isAway = false
    await pass(world, 10_000)
    expect([world.present(), said(world, 'info')]).toEqual([['a mine'], 1])
  })

  it('is made again when the store has lost it', async () => {
    const world = createWorld()
    await pass(world, 1_000)
    const theirs = await world.takeOver('theirs')
    await pass(world, 5_000)
    await theirs.withdraw()
    await pass(world, 5_000)
    expect(world.present()).toEqual([])
    await pass(world, 6_000)
    expect([world.present(), world.announced]).toEqual([['a mine'], 2])
  })

  it('says so when another server has the same id', async () => {
    const world = createWorld()
    await pass(world, 1_000)
    await world.takeOver('theirs')
    await pass(world, 5_000)
    expect(world.log.filter(({ level }) => level === 'error')).toMatchObject([
      { facts: { server: 'a', other: 'theirs' }, message: 'another server has the same server.id; give each its own' },
    ])
  })

  it('does not hold up the stop of a server whose store is away', async () => {
    const world = createWorld({ isAway: true })
    await pass(world, 1_000)
    await world.close()
    await pass(world, 60_000)
    expect(world.announced).toBe(0)
    expect(world.clock.waiting).toBe(0)
  })
})
