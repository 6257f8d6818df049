// Our own metrics, nameplane_proxy_*, from a snapshot. Names of services and clients are labels of the first few only; the rest
// is `other`, so that the number of series is bounded whatever clients ask for.
import { writeClients } from './client-series.ts'
import { writeRouters, writeServers } from './router-series.ts'
import { SeriesWriter } from './series-writer.ts'
import { writeServices } from './service-series.ts'
import type { TelemetrySnapshot } from './snapshot.ts'

/** The text for /metrics, to stand after the metrics of the process. */
export function proxySeries({ routers }: TelemetrySnapshot): string {
  const series = new SeriesWriter()
  writeRouters(series, routers)
  writeServers(series, routers)
  writeServices(series, routers)
  writeClients(series, routers)
  return series.toString()
}
