import { beforeEach, describe, expect, test } from 'vitest'
import { gaugeConnections, reportConnections } from '../../../api/push/connection-metrics.ts'
import { Connections } from '../../../api/push/connections.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeSession, FakeStream } from './connections.fixture.ts'

let clock: FakeClock
let connections: Connections

beforeEach(() => {
  clock = new FakeClock(0)
  connections = new Connections(clock)
})

describe('the connections of a gRPC server', () => {
  test('are known from their beginning to their end, with their streams', () => {
    const [quiet, busy] = [new FakeSession(), new FakeSession()]
    connections.of(quiet)
    clock.advance(1_000)
    const streams = [
      new FakeStream(connections, { session: busy, service: 'a' }),
      new FakeStream(connections, { session: busy, service: 'b', unsentBytes: 70 }),
      new FakeStream(connections, { session: busy, service: 'b', unsentBytes: 30 }),
    ]
    const address = '10.0.0.1:7'
    expect(reportConnections(connections, 5)).toEqual({
      connections: 2,
      streams: { a: 1, b: 2 },
      highestStreams: 3,
      streamsLimit: 5,
      busiest: [
        { address, since: 1_000, streams: 3, unsentBytes: 100, isLeaving: false },
        { address, since: 0, streams: 0, unsentBytes: 0, isLeaving: false },
      ],
    })
    quiet.destroy()
    busy.destroy()
    for (const stream of streams) stream.leave()
    expect(reportConnections(connections, 5)).toMatchObject({
      connections: 0,
      streams: { a: 0, b: 0 },
      highestStreams: 0,
      busiest: [],
    })
    expect(connections.streams).toBe(0)
  })

  test('are shown in gauges, of several servers together', async () => {
    const metrics = createMetrics()
    const other = new Connections(clock)
    const leave = gaugeConnections(metrics, { connections, streamsLimit: 5 })
    gaugeConnections(metrics, { connections: other, streamsLimit: 7 })
    new FakeStream(connections, { session: new FakeSession(), service: 'a' })
    const session = new FakeSession()
    for (let i = 0; i < 3; i++) new FakeStream(other, { session, service: 'a' })
    const { body } = await metrics.expose()
    expect(body.split('\n').filter(line => line !== '' && !line.startsWith('#'))).toEqual([
      'nameplane_grpc_connections 2',
      'nameplane_grpc_connection_streams_highest 3',
      'nameplane_grpc_connection_streams_limit 7',
      'nameplane_push_streams{service="a"} 4',
    ])
    leave()
    expect((await metrics.expose()).body).toContain('nameplane_grpc_connections 1\n')
  })
})
