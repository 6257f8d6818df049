import { expect, it } from 'vitest'
import { createMetrics } from '../../runtime/metrics.ts'
import { createSourceLog } from '../../server/source-log.ts'
import type { Sink } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'

it('warns of the first failure of a source, whispers the next, and tells of the recovery, in as many series as ever', async () => {
  const lines: LogLine[] = []
  const metrics = createMetrics()
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
    onSource: createSourceLog(recordingLog(lines), metrics),
  })
  for (const name of ['one', 'two']) {
    let sink: Sink<number> | undefined
    const ended = new AbortController()
    const open = (opened: Sink<number>): (() => void) => {
      sink = opened
      return () => {}
    }
    kernel.source(name, open).watch(() => {}, ended.signal)
    for (let attempt = 0; attempt < 3; attempt++) sink?.fail(new Error('refused'), clock.now() + 500)
    sink?.set(1)
    ended.abort()
    clock.advance(0)
  }
  const said = lines.filter(({ facts }) => 'source' in facts && facts.source === 'one')
  expect(said.map(({ level }) => level)).toEqual(['debug', 'warn', 'debug', 'debug', 'info', 'debug'])
  expect(said[1]?.facts).toEqual({ source: 'one', error: 'refused', retryAt: '2023-11-14T22:13:20.500Z' })
  const { body } = await metrics.expose()
  expect(body.split('\n').filter(line => line.startsWith('nameplane_source_events_total'))).toEqual([
    'nameplane_source_events_total{event="opened"} 2',
    'nameplane_source_events_total{event="failed"} 2',
    'nameplane_source_events_total{event="failed-again"} 4',
    'nameplane_source_events_total{event="recovered"} 2',
    'nameplane_source_events_total{event="closed"} 2',
  ])
})
