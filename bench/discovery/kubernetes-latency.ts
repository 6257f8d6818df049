// From the patch of an EndpointSlice to a watching client, beside what a bare watch of the same slices takes to tell it.
import { sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { RealKubernetes } from '../../test/real/kubernetes.fixture.ts'
import { printTable } from '../measure.ts'
import { createServices, timePatches, watchServices } from './slice-patches.ts'
import { SliceWatch } from './slice-watch.ts'
import { head, type Row, spread } from './spread.ts'

const samples = 300
/** In turn, so that no name is changed sooner than a busy name is published again. */
const services = { namespace: 'prod', count: 20, endpointsEach: 20 }
const pauseMs = 20

export async function measureSliceLatency(): Promise<readonly Row[]> {
  await using kubernetes = await RealKubernetes.start()
  const { api } = kubernetes
  await createServices(api, services)
  await using server = await WatchedServer.start(await kubernetes.namer())
  const { pid } = server
  const watched = watchServices(server, services)
  await Promise.all(watched.map(each => each.until(state => sizeOf(state) === services.endpointsEach)))
  await using bareWatch = await SliceWatch.open(api, services.namespace)
  await timePatches(api, services, watched, { pid, samples: services.count, pauseMs, bareWatch })
  const { client, bare, coreWait } = await timePatches(api, services, watched, { pid, samples, pauseMs, bareWatch })
  const lagMs =
    (1000 * (await server.metric('watch_lag_seconds_sum'))) / (await server.metric('watch_lag_seconds_count'))
  const beyond = client.map((ms, n) => ms - (bare[n] ?? Number.NaN))
  return [
    [`slice patch to client, p50 / p99 / max of ${samples}`, spread(client), 'p99 <= 30 ms', '-'],
    ['a bare watch told of the same patch', spread(bare), '-', '-'],
    ['what we add to it, change by change', spread(beyond), '-', '-'],
    [
      'the same, less the time in which the server got no core',
      spread(beyond.map((ms, n) => ms - (coreWait[n] ?? 0))),
      '-',
      '-',
    ],
    ['in the server, from the first byte of the event to published, mean', `${lagMs.toFixed(2)} ms`, '-', '-'],
  ]
}

if (import.meta.main) printTable([head, ...(await measureSliceLatency())])
