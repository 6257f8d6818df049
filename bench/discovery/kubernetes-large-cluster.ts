// One server that holds 5,000 services with 100,000 endpoints: its memory, and how long until all are published.
import { setTimeout as delay } from 'node:timers/promises'
import { sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { residentBytes } from '../../test/real/backend-process.fixture.ts'
import { RealKubernetes } from '../../test/real/kubernetes.fixture.ts'
import { printTable } from '../measure.ts'
import { createServices, watchServices } from './slice-patches.ts'
import { head, megabytes, type Row, seconds } from './spread.ts'

const namespaces = 10
const servicesEach = 500
const endpointsEach = 20
const settleMs = 15_000

export async function measureLargeCluster(): Promise<readonly Row[]> {
  await using kubernetes = await RealKubernetes.start()
  const all = Array.from({ length: namespaces }, (_, n) => {
    return { namespace: `prod-${n}`, count: servicesEach, endpointsEach, from: n * servicesEach * endpointsEach }
  })
  for (const services of all) await createServices(kubernetes.api, services)
  await using server = await WatchedServer.start(await kubernetes.namer())
  await delay(1_000)
  const idle = residentBytes(server.pid)
  const startedAt = performance.now()
  const watched = all.flatMap(services => watchServices(server, services))
  const known = await Promise.all(
    watched.map(replicas => replicas.until(state => sizeOf(state) === endpointsEach, 300_000)),
  )
  await delay(settleMs)
  const settled = residentBytes(server.pid)
  const highest = residentBytes(server.pid, 'VmHWM')
  const what = `${watched.length} services, ${watched.length * endpointsEach} endpoints`
  return [
    [`${what}: all at the client after`, seconds(Math.max(...known) - startedAt), '-', '-'],
    [
      `resident memory of the server ${settleMs / 1000} s later`,
      megabytes(settled),
      '<= 500 MB',
      `idle ${megabytes(idle)}`,
    ],
    ['the most it ever had', megabytes(highest), '<= 500 MB', '-'],
  ]
}

if (import.meta.main) printTable([head, ...(await measureLargeCluster())])
