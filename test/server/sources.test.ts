// Sources from a kernel whose names report what the test says, and guards that hold what it says.
import { describe, expect, it } from 'vitest'
import type { Sources } from '../../api/sources.ts'
import type { Path } from '../../naming/path.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createSources } from '../../server/sources.ts'
import { type Kernel, relayGroup, type Sink } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { bareNamer, FakeGuard } from '../api/http/http-api.fixture.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

const consul = '/#/io.l5d.consul'
const refused = new Error('500 No cluster leader')

class World {
  readonly clock = new FakeClock(1_000_000)
  readonly guard = new FakeGuard()
  readonly lines: LogLine[] = []
  readonly metrics = createMetrics()
  readonly kernel: Kernel = createKernel({
    clock: this.clock,
    onError: error => {
      throw error
    },
  })
  readonly sources: Sources

  constructor(
    prefixes: readonly Path[] = [
      ['#', 'io.l5d.consul'],
      ['#', 'east', 'files'],
    ],
  ) {
    const namers = prefixes.map((prefix, i) => ({
      kind: `kind ${i}`,
      namer: bareNamer(prefix, i === 0 ? this.guard : undefined),
    }))
    const { kernel, clock, metrics, lines } = this
    this.sources = createSources({ kernel, clock, metrics, log: recordingLog(lines), namers, storageKind: 'sqlite' })
  }

  follow(name: string, group?: string): Sink<number> {
    const sinks: Sink<number>[] = []
    const open = (sink: Sink<number>): (() => void) => {
      sinks.push(sink)
      return () => {}
    }
    this.kernel.source(name, open, group === undefined ? {} : { group }).watch(() => {})
    const [sink] = sinks
    if (sink === undefined) throw new Error('not opened')
    return sink
  }

  consul(name: string): Sink<number> {
    return this.follow(`consul ${name}`, consul)
  }

  state(id = 'io.l5d.consul'): string | undefined {
    return this.sources.list().find(source => source.id === id)?.state
  }

  async gauge(): Promise<readonly string[]> {
    const { body } = await this.metrics.expose()
    return body.split('\n').filter(line => line.startsWith('source_degraded'))
  }
}

describe('sources', () => {
  it('are the configured namers in their order, the store and DNS, then what else is open; relays are left out', () => {
    const world = new World()
    for (const name of ['b', 'a']) world.follow(name)
    world.follow('http x', relayGroup)
    world.follow('sqlite dtab default', 'storage')
    expect(world.sources.list().map(({ id, kind, prefix, state }) => [id, kind, prefix, state])).toEqual([
      ['io.l5d.consul', 'kind 0', consul, 'idle'],
      ['east/files', 'kind 1', '/#/east/files', 'idle'],
      ['storage', 'sqlite', undefined, 'pending'],
      ['dns', 'dns', undefined, 'idle'],
      ['a', 'other', undefined, 'pending'],
      ['b', 'other', undefined, 'pending'],
    ])
  })

  it('give way to a namer that has their name', () => {
    const { sources } = new World([
      ['#', 'storage'],
      ['#', 'dns'],
    ])
    expect(sources.list().map(({ id, prefix }) => [id, prefix])).toEqual([
      ['storage', '/#/storage'],
      ['dns', '/#/dns'],
      ['/storage', undefined],
      ['/dns', undefined],
    ])
  })

  it('are idle, pending, ok, degraded and held as their names are', () => {
    const world = new World()
    expect(world.state()).toBe('idle')
    const web = world.consul('dc1/web')
    expect(world.state()).toBe('pending')
    web.set(1)
    world.consul('dc1/slow')
    expect(world.state()).toBe('ok')
    web.fail(refused)
    expect(world.state()).toBe('degraded')
    world.guard.holding = [{ name: 'dc1/web', since: 5 }]
    expect(world.state()).toBe('held')
    world.guard.holding = []
    web.set(1)
    expect(world.state()).toBe('ok')
    world.consul('dc1/new').fail(refused)
    expect(world.state()).toBe('degraded')
  })

  it('add up their names: the newest contact, the oldest age, the first failure, the commonest error, the next try', () => {
    const world = new World()
    const [a, b, c] = ['a', 'b', 'c'].map(name => world.consul(name))
    a?.set(1)
    world.clock.advance(1_000)
    b?.set(1)
    b?.fail(new Error('timeout'), 1_009_000)
    world.clock.advance(1_000)
    a?.fail(refused, 1_008_000)
    c?.fail(refused)
    world.consul('d').set(1)
    world.clock.advance(500)
    expect(world.sources.list()[0]).toEqual({
      id: 'io.l5d.consul',
      kind: 'kind 0',
      prefix: consul,
      state: 'degraded',
      counts: { total: 4, ok: 1, pending: 0, stale: 2, failed: 1, held: 0 },
      observers: 4,
      changedAt: 1_002_000,
      contactAt: 1_002_000,
      ageMs: 500,
      oldestAgeMs: 2_500,
      failingSince: 1_001_000,
      lastError: refused.message,
      retryAt: 1_008_000,
      guard: { held: 0 },
    })
  })

  it('do not call an old error a failure', () => {
    const world = new World()
    const web = world.consul('web')
    web.fail(refused)
    web.set(1)
    expect(world.sources.list()[0]).not.toHaveProperty('lastError')
  })

  it('count held names once, whether or not they are followed, and not as failing', () => {
    const world = new World()
    world.consul('dc1/web').set(1)
    world.guard.holding = [
      { name: 'dc1/web', since: 7 },
      { name: 'dc1/gone', since: 5 },
    ]
    expect(world.sources.list()[0]).toMatchObject({
      counts: { total: 2, ok: 0, stale: 0, held: 2 },
      guard: { held: 2, since: 5 },
    })
    const page = world.sources.names('io.l5d.consul', { limit: 10, state: 'held' })
    expect(page.ok && page.value.names.map(({ name, heldSince }) => [name, heldSince])).toEqual([
      ['consul dc1/web', 7],
      ['dc1/gone', 5],
    ])
  })

  it('do not count the guard among the observers of what it holds', () => {
    const world = new World()
    world.consul('dc1/api').set(1)
    world.consul('dc1/web').set(1)
    world.guard.holding = [{ name: 'dc1/web', since: 7 }]
    expect(world.sources.list()[0]?.observers).toBe(1)
    const page = world.sources.names('io.l5d.consul', { limit: 10 })
    expect(page.ok && page.value.names.map(({ observers }) => observers)).toEqual([1, 0])
  })

  it('show in the gauge which are degraded, one series for each that is configured', async () => {
    const world = new World()
    const web = world.consul('dc1/web')
    web.set(1)
    web.fail(refused)
    world.follow('x').fail(refused)
    const series = (value: number): readonly string[] => [
      `source_degraded{source="io.l5d.consul"} ${value}`,
      'source_degraded{source="east/files"} 0',
      'source_degraded{source="storage"} 0',
      'source_degraded{source="dns"} 0',
    ]
    expect(await world.gauge()).toEqual(series(1))
    web.setStale(1, new Error('held back'))
    expect(await world.gauge()).toEqual(series(1))
    web.set(1)
    expect(await world.gauge()).toEqual(series(0))
  })
})

describe('the names of a source', () => {
  it('come sorted and page by page, each once', () => {
    const world = new World()
    for (let n = 0; n < 25; n++) world.consul(`dc1/${(n * 7) % 25}`)
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = world.sources.names('io.l5d.consul', { limit: 10, ...(after !== undefined && { after }) })
      if (!page.ok) throw page.error
      seen.push(...page.value.names.map(({ name }) => name))
      after = page.value.next
    } while (after !== undefined)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `consul dc1/${n}`).sort())
  })

  it('say what is known of each', () => {
    const world = new World()
    const web = world.consul('dc1/web')
    web.set(1, '41')
    world.clock.advance(10)
    web.contact('42')
    world.clock.advance(10)
    web.fail(refused, 1_009_000)
    const page = world.sources.names('/#/io.l5d.consul', { limit: 10, state: 'stale' })
    expect(page.ok && page.value.names).toEqual([
      {
        name: 'consul dc1/web',
        state: 'stale',
        observers: 1,
        openedAt: 1_000_000,
        changedAt: 1_000_000,
        contactAt: 1_000_010,
        ageMs: 10,
        version: '42',
        failingSince: 1_000_020,
        lastError: refused.message,
        retryAt: 1_009_000,
      },
    ])
    const other = world.sources.names('io.l5d.consul', { limit: 10, state: 'ok' })
    expect(other.ok && other.value.names).toEqual([])
  })

  it('are not there for a source that is not', () => {
    const asked = new World().sources.names('consul', { limit: 1 })
    expect(asked).toMatchObject({
      ok: false,
      error: {
        code: 'source-not-found',
        message: "There is no source 'consul': there are io.l5d.consul, east/files, storage, dns.",
        detail: { sources: ['io.l5d.consul', 'east/files', 'storage', 'dns'] },
      },
    })
  })
})

describe('a release', () => {
  const by = { author: 'ann', message: 'dc1 is off' }

  it('tells the guard, gives how many there were, and is logged with its author', () => {
    const world = new World()
    world.guard.holding = Array.from({ length: 12 }, (_, n) => ({ name: `dc1/${n}`, since: 5 }))
    expect(world.sources.release('io.l5d.consul', by)).toEqual({ ok: true, value: 12 })
    expect(world.guard.held()).toEqual([])
    expect(world.lines).toEqual([
      {
        level: 'info',
        facts: { source: 'io.l5d.consul', released: 12, ...by },
        message: 'held names were released by an operator',
      },
    ])
    expect(world.sources.release('io.l5d.consul', by)).toEqual({ ok: true, value: 0 })
    expect(world.lines[1]?.message).toBe('nothing was held when a release was asked for')
  })

  it('is refused where nothing can be held', () => {
    const world = new World()
    expect(world.sources.release('east/files', by)).toMatchObject({
      ok: false,
      error: {
        code: 'source-without-guard',
        message: expect.stringContaining("'east/files' (kind 1) holds nothing back"),
      },
    })
    expect(world.sources.release('nope', by)).toMatchObject({ ok: false, error: { code: 'source-not-found' } })
    expect(world.lines).toEqual([])
  })
})
