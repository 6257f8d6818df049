// What /metrics and /state say of the connections of a gRPC server.
import type { Metrics } from '../../runtime/metrics.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'
import type { ConnectionReport, ConnectionsReport } from '../push-streams.ts'
import type { Connection, Connections } from './connections.ts'

const maxShown = 100

export function reportConnections(connections: Connections, streamsLimit: number): ConnectionsReport {
  const reports = [...connections].map(reportConnection)
  reports.sort((a, b) => b.unsentBytes - a.unsentBytes || b.streams - a.streams)
  return {
    connections: connections.size,
    streams: Object.fromEntries(connections.streamsOfService),
    highestStreams: connections.highestStreams(),
    streamsLimit,
    busiest: reports.slice(0, maxShown),
  }
}

function reportConnection({ address, since, streams, unsentBytes, leavingSince }: Connection): ConnectionReport {
  return { address, since, streams: streams.size, unsentBytes, isLeaving: leavingSince !== undefined }
}

/** What the gauges show of one gRPC server. */
export interface GaugedConnections {
  readonly connections: Connections
  readonly streamsLimit: number
}

/** Shows the connections of a server until the function that it returns is called. */
export const gaugeConnections = sharedGauges<GaugedConnections>((metrics, servers) => {
  registerConnectionGauges(metrics, servers)
  metrics.gauge({
    name: 'nameplane_push_streams',
    help: 'Push streams that are open, by service.',
    labels: ['service'],
    collectEach: () => [...streamsByService(servers)].map(([service, streams]) => [{ service }, streams]),
  })
})

function registerConnectionGauges(metrics: Metrics, servers: ReadonlySet<GaugedConnections>): void {
  metrics.gauge({
    name: 'nameplane_grpc_connections',
    help: 'Connections of clients to the gRPC port.',
    collect: () => [...servers].reduce((sum, { connections }) => sum + connections.size, 0),
  })
  metrics.gauge({
    name: 'nameplane_grpc_connection_streams_highest',
    help: 'Push streams of the connection that has most.',
    across: 'max',
    collect: () => Math.max(0, ...[...servers].map(({ connections }) => connections.highestStreams())),
  })
  metrics.gauge({
    name: 'nameplane_grpc_connection_streams_limit',
    help: 'Push streams that one connection may have open.',
    across: 'max',
    collect: () => Math.max(0, ...[...servers].map(({ streamsLimit }) => streamsLimit)),
  })
}

function streamsByService(servers: ReadonlySet<GaugedConnections>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { connections } of servers)
    for (const [service, streams] of connections.streamsOfService) sums.set(service, (sums.get(service) ?? 0) + streams)
  return sums
}
