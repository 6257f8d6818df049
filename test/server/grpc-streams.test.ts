import { expect, it } from 'vitest'
import type { ConnectionsReport, PushStreams } from '../../api/push-streams.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { adminRoutes } from '../../server/admin-routes.ts'
import { GrpcStreams } from '../../server/grpc-streams.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const busy: ConnectionsReport = {
  connections: 1,
  streams: { 'nameplane.v1.Naming': 2 },
  highestStreams: 2,
  streamsLimit: 10,
  busiest: [{ address: '10.0.0.1:7', since: 1_700_000_000_000, streams: 2, unsentBytes: 9, isLeaving: false }],
}

class FakePort implements PushStreams {
  readonly shedding: number[] = []
  readonly #open: number

  constructor(open: number) {
    this.#open = open
  }

  streams = () => ({ open: this.#open, leaving: 1 })
  shed = (count: number): void => void this.shedding.push(count)
  connections = (): ConnectionsReport => busy
}

it('counts the streams of all gRPC ports while clients may come, and has each let go of its share', () => {
  const shutdown = new AbortController()
  const streams = new GrpcStreams(shutdown.signal)
  const ports = [new FakePort(300), new FakePort(0), new FakePort(100)]
  for (const port of ports) streams.add(port)
  expect(streams.counts()).toBeUndefined()
  streams.setServing()
  expect(streams.counts()).toEqual({ open: 400, leaving: 3 })
  streams.shed(41)
  expect(ports.map(({ shedding }) => shedding)).toEqual([[31], [], [10]])
  shutdown.abort()
  expect(streams.counts()).toBeUndefined()
})

it('shows the connections of each gRPC port on /state', async () => {
  const clock = new FakeClock()
  const kernel = createKernel({ clock, onError: error => expect.unreachable(String(error)) })
  const streams = new GrpcStreams(new AbortController().signal)
  streams.add(new FakePort(2))
  const readiness = { report: () => ({ ready: true, reasons: [] }), whenReady: () => {}, close: () => {} }
  const facts = { kernel, metrics: createMetrics(), readiness, streams, clock, version: '1', startedAt: 0 }
  const page = await adminRoutes(facts)['/state']?.(new URL('http://localhost/state'), { accept: '' })
  expect(JSON.parse(String(page?.body))).toMatchObject({
    grpc: [{ ...busy, busiest: [{ address: '10.0.0.1:7', since: '2023-11-14T22:13:20.000Z', unsentBytes: 9 }] }],
  })
})
