import { expect, it } from 'vitest'
import { countsOf, createMetrics, type Metrics } from '../../runtime/metrics.ts'

function count(metrics: Metrics, streams: number): Metrics {
  metrics.counter({ name: 'sent_total', help: 'Sent.', labels: ['kind'] }).inc({ kind: 'a' }, streams)
  metrics.gauge({ name: 'streams', help: 'Open.', collect: () => streams })
  metrics.gauge({ name: 'highest', help: 'Most.', collect: () => streams, across: 'max' })
  metrics.histogram({ name: 'lag', help: 'Lag.', buckets: [1, 10] }).observe(streams)
  return metrics
}

async function values(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.expose()).body.split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

it('shows those of threads that joined as one: sums, and of some gauges the highest', async () => {
  const main = createMetrics()
  main.gauge({ name: 'alone', help: 'Of the process.' }).set(1)
  const threads = [2, 3].map(streams => count(createMetrics(), streams))
  const leave = main.join(() => Promise.all(threads.map(each => each.snapshot())))
  expect(await values(main)).toEqual([
    'alone 1',
    'sent_total{kind="a"} 5',
    'streams 5',
    'highest 3',
    'lag_bucket{le="1"} 0',
    'lag_bucket{le="10"} 2',
    'lag_bucket{le="+Inf"} 2',
    'lag_sum 5',
    'lag_count 2',
  ])
  leave()
  expect(await values(main)).toEqual(['alone 1'])
})

it('keeps of what is gone the counts, and what it was like at the end no more', async () => {
  const main = count(createMetrics(), 1)
  const past = await countsOf(await Promise.all([2, 3].map(streams => count(createMetrics(), streams).snapshot())))
  main.join(async () => [past])
  const shown = await values(main)
  expect(shown.slice(0, 3)).toEqual(['sent_total{kind="a"} 6', 'streams 1', 'highest 1'])
  expect(shown.slice(-2)).toEqual(['lag_sum 6', 'lag_count 3'])
})

it('shows all values of the process, whoever has joined', async () => {
  const main = createMetrics({ processMetrics: true })
  const names = async (): Promise<readonly string[]> => (await values(main)).map(line => line.split(' ')[0] ?? '')
  const alone = await names()
  main.join(async () => [await count(createMetrics(), 1).snapshot()])
  expect(await names()).toEqual(expect.arrayContaining([...alone]))
})
