import { expect, it } from 'vitest'
import { createMetrics, type MetricsSnapshot } from '../../../runtime/metrics.ts'
import { ThreadCounts } from '../../../server/workers/thread-counts.ts'

/** A thread that has sent so many, and tells when the test says so. */
async function createThread(sent: number) {
  const metrics = createMetrics()
  metrics.counter({ name: 'sent_total', help: 'Sent.' }).inc(sent)
  const told = Promise.withResolvers<void>()
  return { metrics: await metrics.snapshot(), tell: told.resolve, count: () => told.promise }
}

async function sum(snapshots: Promise<readonly MetricsSnapshot[]>): Promise<string | undefined> {
  const metrics = createMetrics()
  const known = await snapshots
  metrics.join(async () => known)
  return /^sent_total (\d+)$/m.exec((await metrics.expose()).body)?.[1]
}

it('counts a thread once that ends while it is asked, and ever after', async () => {
  const counts = new ThreadCounts()
  const threads = await Promise.all([createThread(2), createThread(3)])
  const [dying, other] = threads
  const signal = new AbortController().signal
  const collected = sum(counts.collect(threads, signal))
  other?.tell()
  if (dying) counts.keep(dying)
  dying?.tell()
  expect([await collected, await sum(counts.collect(threads.slice(1), signal))]).toEqual(['5', '5'])
})
