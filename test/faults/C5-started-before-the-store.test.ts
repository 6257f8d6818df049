// C5: The server starts before its store, its namer, or both. It must come to itself when they do, and until then say
// "not known yet" or what it knew last: never that a name does not exist.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BackendMode, WarmWorld } from '../storage/snapshot/warm-world.fixture.ts'

const old = '/#/fake/v1/web'
const next = '/#/fake/v2/web'

let world: WarmWorld
beforeEach(() => {
  world = new WarmWorld()
})
afterEach(() => world.close())

interface Start {
  readonly store: BackendMode
  readonly snapshot: boolean
  readonly namerAnswers: boolean
  /** Half a second after the start, then three, then when the store has answered with a newer version. */
  readonly seen: readonly [string, string, string]
  readonly ready: readonly [boolean, boolean, boolean]
}

const starts: readonly Start[] = [
  { store: 'up', snapshot: false, namerAnswers: true, seen: [next, next, next], ready: [true, true, true] },
  { store: 'up', snapshot: true, namerAnswers: true, seen: [next, next, next], ready: [true, true, true] },
  {
    store: 'failing',
    snapshot: false,
    namerAnswers: true,
    seen: ['failed', 'failed', next],
    ready: [false, false, true],
  },
  {
    store: 'failing',
    snapshot: true,
    namerAnswers: true,
    seen: [`${old} (stale)`, `${old} (stale)`, next],
    ready: [true, true, true],
  },
  {
    store: 'silent',
    snapshot: false,
    namerAnswers: true,
    seen: ['pending', 'pending', next],
    ready: [false, false, true],
  },
  {
    store: 'silent',
    snapshot: true,
    namerAnswers: true,
    seen: ['pending', `${old} (stale)`, next],
    ready: [false, true, true],
  },
  {
    store: 'up',
    snapshot: true,
    namerAnswers: false,
    seen: ['pending', 'pending', 'pending'],
    ready: [true, true, true],
  },
  {
    store: 'failing',
    snapshot: true,
    namerAnswers: false,
    seen: ['pending', 'pending', 'pending'],
    ready: [true, true, true],
  },
  {
    store: 'failing',
    snapshot: false,
    namerAnswers: false,
    seen: ['failed', 'failed', 'pending'],
    ready: [false, false, true],
  },
]

describe('C5: a start in any order', () => {
  it.each(starts)(
    'store $store, snapshot $snapshot, namer answers $namerAnswers',
    async ({ store, snapshot, namerAnswers, seen, ready }) => {
      await world.learn()
      await world.backend.put('default', '/svc => /#/fake/v2')
      world.backend.mode = store
      const started = await world.start({ snapshot, namerAnswers })
      const bindings = started.bindings()
      const stage = async (index: 0 | 1 | 2): Promise<void> => {
        await world.until(`${index}: ${seen[index]}`, () => bindings.at(-1) === seen[index])
        await world.idle()
        expect([bindings.at(-1), started.readiness.report().ready]).toEqual([seen[index], ready[index]])
      }
      await world.pass(500, 500)
      await stage(0)
      await world.pass(2_500, 500)
      await stage(1)
      const before = bindings.length
      world.backend.mode = 'up'
      await stage(2)
      // One step to the truth, never by way of another state.
      const steps = bindings.slice(before).filter(text => text !== seen[1])
      expect(steps).toEqual(seen[2] === seen[1] ? [] : [seen[2]])
      started.namerAnswers()
      await world.until('both', () => bindings.at(-1) === next)
      expect(bindings.filter(text => text.startsWith('~'))).toEqual([])
      await started.stop()
    },
  )
})

describe('C5: the local snapshot', () => {
  it('is served marked stale, with the store, its error and the time of the snapshot in every place that people look at', async () => {
    await world.learn()
    await world.pass(60_000, 60_000)
    world.backend.mode = 'failing'
    const started = await world.start()
    const bindings = started.bindings()
    await world.until('the snapshot', () => bindings.at(-1) === `${old} (stale)`)
    const head = started.store.observe('default').peek()
    expect(head.kind === 'ok' && head.stale?.reason.message).toMatch(
      /^The store shared is away \(connection refused\)\. This is the local snapshot of 2023-11-14T22:1\d:\d\d\.\d{3}Z\.$/,
    )
    const listing = started.store.list().peek()
    expect(listing.kind === 'ok' && [listing.value.map(({ namespace }) => namespace), listing.stale?.since]).toEqual([
      ['default'],
      world.clock.now(),
    ])
    expect(started.readiness.report()).toEqual({
      ready: true,
      reasons: [
        expect.stringMatching(
          /^the store shared is away since 2023-\S+Z; serving the local snapshot of 2023-\S+Z: connection refused$/,
        ),
      ],
    })
    expect(world.said('warn')).toEqual(['the store is away; the local snapshot is served, marked stale'])
    const gauge = async (): Promise<unknown> =>
      /^nameplane_storage_snapshot_served (\d)$/m.exec((await started.metrics.expose()).body)?.[1]
    expect(await gauge()).toBe('1')
    world.backend.mode = 'up'
    await world.until('the store', () => bindings.at(-1) === old)
    await world.idle()
    expect(started.readiness.report()).toEqual({ ready: true, reasons: [] })
    expect([world.said('info'), await gauge()]).toEqual([['the local snapshot is no longer served'], '0'])
    await started.stop()
  })

  it('is not gone back to once the store has answered: its own last good value is newer', async () => {
    await world.learn()
    const started = await world.start()
    const bindings = started.bindings()
    await world.backend.put('default', '/svc => /#/fake/v2')
    await world.until('the newer', () => bindings.at(-1) === next)
    world.backend.mode = 'failing'
    await world.pass(10_000)
    expect(bindings.at(-1)).toBe(`${next} (stale)`)
    expect(started.readiness.report().reasons[0]).not.toContain('snapshot')
    await started.stop()
  })

  it('holds what changed last, though the server was killed', async () => {
    await world.learn()
    const started = await world.start()
    const bindings = started.bindings()
    await world.backend.put('default', '/svc => /#/fake/v2')
    await world.until('the newer', () => bindings.at(-1) === next)
    world.clock.advance(200)
    await world.until('the file', () => world.onDisk().includes('/#/fake/v2'))
    started.crash()
    world.backend.mode = 'failing'
    const again = await world.start()
    const after = again.bindings()
    await world.until('the snapshot', () => after.at(-1) === `${next} (stale)`)
    await again.stop()
  })

  it('says nothing of a namespace that it has not got: that fails or waits, as without a snapshot, and is not absent', async () => {
    await world.learn()
    await world.backend.put('other', '/svc => /#/fake/v1')
    for (const [mode, state] of [
      ['failing', 'failed'],
      ['silent', 'pending'],
    ] as const) {
      world.backend.mode = mode
      const started = await world.start()
      const bindings = started.bindings('other')
      const known = started.bindings()
      await world.pass(3_000, 500)
      await world.until('the snapshot', () => known.at(-1) === `${old} (stale)` && bindings.at(-1) === state)
      expect(new Set(bindings)).toEqual(new Set(['pending', state]))
      await started.stop()
    }
  })

  it('lets go of a namespace that was deleted meanwhile, in one step and on disk too', async () => {
    await world.learn()
    await world.backend.put('default', undefined)
    world.backend.mode = 'failing'
    const started = await world.start()
    const bindings = started.bindings()
    await world.until('the snapshot', () => bindings.at(-1) === `${old} (stale)`)
    const before = bindings.length
    world.backend.mode = 'up'
    await world.until('the deletion', () => bindings.at(-1) === '~')
    expect(bindings.length - before).toBe(1)
    await started.stop()
    world.backend.mode = 'failing'
    const again = await world.start()
    const after = again.bindings()
    await world.until('an end', () => after.at(-1) === 'failed')
    await again.stop()
  })

  it('is served at once to who comes later while the store is silent', async () => {
    await world.learn({ default: '/svc => /#/fake/v1', other: '/svc => /#/fake/v1' })
    world.backend.mode = 'silent'
    const started = await world.start()
    started.bindings()
    await world.pass(3_000, 500)
    const later = started.bindings('other')
    const at = world.clock.now()
    await world.until('the snapshot', () => later.at(-1) === `${old} (stale)`)
    expect(world.clock.now()).toBe(at)
    await started.stop()
  })
})
