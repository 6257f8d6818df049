import { describe, expect, it } from 'vitest'
import { createMetrics, type Metrics } from '../../runtime/metrics.ts'
import { SourceLog } from '../../server/source-log.ts'
import { relayGroup, type Sink } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

class World {
  readonly clock = new FakeClock()
  readonly metrics: Metrics = createMetrics()
  readonly lines: LogLine[] = []
  readonly log = new SourceLog({ log: recordingLog(this.lines), metrics: this.metrics, clock: this.clock })
  readonly kernel = createKernel({
    clock: this.clock,
    onError: error => {
      throw error
    },
    onSource: this.log.note,
  })

  /** Follows a name until the signal aborts; gives where the backend reports. */
  follow(name: string, group?: string, signal?: AbortSignal): Sink<number> {
    const sinks: Sink<number>[] = []
    const open = (sink: Sink<number>): (() => void) => {
      sinks.push(sink)
      return () => {}
    }
    this.kernel.source(name, open, group === undefined ? {} : { group }).watch(() => {}, signal)
    const [sink] = sinks
    if (sink === undefined) throw new Error('not opened')
    return sink
  }

  /** What people see, debug lines aside. */
  get said(): readonly unknown[] {
    return this.lines
      .filter(({ level }) => level !== 'debug')
      .map(({ level, facts, message }) => [level, message, facts])
  }
}

const fails = 'a source fails; the last good state is kept'

describe('the log of sources', () => {
  it('has one line for a backend whose 10,000 names fail, with their number and the reason, and one for its return', () => {
    const world = new World()
    const sinks = Array.from({ length: 10_000 }, (_, n) => world.follow(`consul dc1/${n}`, '/#/io.l5d.consul'))
    for (const sink of sinks) sink.fail(new Error('500 No cluster leader'), world.clock.now() + 5_000)
    sinks[0]?.fail(new Error('timeout'), world.clock.now() + 500)
    expect(world.said).toEqual([])
    world.clock.advance(1_000)
    const facts = {
      source: 'io.l5d.consul',
      failing: 10_000,
      failed: 10_000,
      names: ['consul dc1/0', 'consul dc1/1', 'consul dc1/2'],
      errors: ['500 No cluster leader'],
      retryAt: '2023-11-14T22:13:25.000Z',
    }
    expect(world.said).toEqual([['warn', fails, facts]])
    for (const sink of sinks) sink.fail(new Error('500 No cluster leader'))
    for (const sink of sinks) sink.set(1)
    world.clock.advance(120_000)
    expect(world.said.slice(1)).toEqual([
      ['info', 'the source is back', { source: 'io.l5d.consul', failedForMs: 2_000 }],
    ])
  })

  it('tells of names that fail later, at most once a minute, so that no reason is lost', () => {
    const world = new World()
    const first = world.follow('fs a', '/#/io.l5d.fs')
    const later = [world.follow('fs b', '/#/io.l5d.fs'), world.follow('fs c', '/#/io.l5d.fs')]
    first.fail(new Error('a is malformed'))
    world.clock.advance(1_000)
    for (const sink of later) sink.fail(new Error('c is malformed'))
    later[0]?.set(1)
    later[0]?.fail(new Error('permission denied'))
    later[0]?.set(1)
    later[0]?.fail(new Error('c is malformed'))
    world.clock.advance(59_999)
    expect(world.said).toHaveLength(1)
    world.clock.advance(1)
    expect(world.said.slice(1)).toMatchObject([
      [
        'warn',
        fails,
        { failing: 3, failed: 4, names: ['fs b', 'fs c'], errors: ['c is malformed', 'permission denied'] },
      ],
    ])
  })

  it('tells of a failure that was over at once, before its end', () => {
    const world = new World()
    const sink = world.follow('web', '/#/io.l5d.fs')
    sink.fail(new Error('refused'))
    sink.set(1)
    world.clock.advance(1_000)
    expect(world.said).toMatchObject([
      ['warn', fails, { failing: 0, failed: 1, errors: ['refused'] }],
      ['info', 'the source is back', {}],
    ])
  })

  it('is not silenced by a source that fails and recovers all the time', () => {
    const world = new World()
    const sink = world.follow('web', '/#/io.l5d.fs')
    for (let n = 0; n < 20; n++) {
      sink.fail(new Error('refused'))
      world.clock.advance(60)
      sink.set(1)
      world.clock.advance(60)
    }
    expect(world.said[0]).toMatchObject(['warn', fails, { errors: ['refused'] }])
    expect(world.said.length).toBeLessThan(6)
  })

  it('does not call a source back because nobody asks any more', () => {
    const world = new World()
    const leaving = new AbortController()
    world.follow('web', '/#/io.l5d.fs', leaving.signal).fail(new Error('refused'))
    world.clock.advance(1_000)
    leaving.abort()
    world.clock.advance(1_000)
    expect(world.said.slice(1)).toMatchObject([['info', 'nobody follows what failed in the source any more', {}]])
  })

  it('tells of each backend by itself, and not of sources that only pass on', () => {
    const world = new World()
    for (const group of ['storage', 'dns', relayGroup]) world.follow(`${group} x`, group).fail(new Error('refused'))
    world.follow('alone').fail(new Error('refused'))
    world.clock.advance(1_000)
    expect(world.said).toMatchObject([
      ['warn', fails, { source: 'storage' }],
      ['warn', fails, { source: 'dns' }],
      ['warn', fails, { source: 'alone' }],
    ])
  })

  it('tells at its close what it has gathered', () => {
    const world = new World()
    world.follow('web', '/#/io.l5d.fs').fail(new Error('refused'))
    world.kernel.close()
    world.log.close()
    expect(world.said).toMatchObject([['warn', fails, { failed: 1, errors: ['refused'] }]])
    expect(world.clock.waiting).toBe(0)
  })

  it('whispers every event of every name, and counts them in as many series as ever', async () => {
    const world = new World()
    for (const name of ['one', 'two']) {
      const ended = new AbortController()
      const sink = world.follow(name, 'backend', ended.signal)
      for (let attempt = 0; attempt < 3; attempt++) sink.fail(new Error('refused'), world.clock.now() + 500)
      sink.set(1)
      ended.abort()
      world.clock.advance(0)
    }
    const whispered = world.lines.filter(
      ({ level, facts }) => level === 'debug' && 'name' in facts && facts.name === 'one',
    )
    expect(whispered.map(({ message }) => message)).toEqual(
      ['opened', 'failed', 'failed-again', 'failed-again', 'recovered', 'closed'].map(kind => `source ${kind}`),
    )
    expect(whispered[1]?.facts).toEqual({
      source: 'backend',
      name: 'one',
      error: 'refused',
      retryAt: '2023-11-14T22:13:20.500Z',
    })
    const { body } = await world.metrics.expose()
    expect(body.split('\n').filter(line => line.startsWith('nameplane_source_events_total'))).toEqual([
      'nameplane_source_events_total{event="opened"} 2',
      'nameplane_source_events_total{event="failed"} 2',
      'nameplane_source_events_total{event="failed-again"} 4',
      'nameplane_source_events_total{event="recovered"} 2',
      'nameplane_source_events_total{event="closed"} 2',
    ])
  })
})
