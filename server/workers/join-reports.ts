// What several threads say of their connections, as one report. Pure.
import type { ConnectionsReport } from '../../api/push-streams.ts'

const maxShown = 100

export function joinReports(reports: readonly ConnectionsReport[]): ConnectionsReport {
  const streams: Record<string, number> = {}
  for (const report of reports)
    for (const [service, count] of Object.entries(report.streams)) streams[service] = (streams[service] ?? 0) + count
  const busiest = reports.flatMap(report => report.busiest)
  busiest.sort((a, b) => b.unsentBytes - a.unsentBytes || b.streams - a.streams)
  return {
    connections: reports.reduce((sum, { connections }) => sum + connections, 0),
    streams,
    highestStreams: Math.max(0, ...reports.map(({ highestStreams }) => highestStreams)),
    streamsLimit: Math.max(0, ...reports.map(({ streamsLimit }) => streamsLimit)),
    busiest: busiest.slice(0, maxShown),
  }
}
