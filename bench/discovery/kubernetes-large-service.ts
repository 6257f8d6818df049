// A service of 2,500 pods in 25 slices: how long until all are known, and what a rolling restart looks like to a client.
import { endpointsOf, sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import {
  createHugeService,
  hugeAddresses,
  hugeService,
  restartHugeService,
} from '../../test/real/huge-service.fixture.ts'
import { RealKubernetes } from '../../test/real/kubernetes.fixture.ts'
import { printTable } from '../measure.ts'
import { head, type Row, seconds } from './spread.ts'

const { path, pods, slices } = hugeService
const writePauseMs = 30

export async function measureLargeService(): Promise<readonly Row[]> {
  await using kubernetes = await RealKubernetes.start()
  const { api } = kubernetes
  await createHugeService(api)
  await using server = await WatchedServer.start(await kubernetes.namer())
  const startedAt = performance.now()
  const replicas = server.replicas(path)
  const wholeAfter = (await replicas.until(state => sizeOf(state) === pods)) - startedAt
  const sizes: number[] = []
  replicas.onDelivery(state => sizes.push(sizeOf(state)))
  const renewed = hugeAddresses(1)
  const restartAt = performance.now()
  const writes = await restartHugeService(api, writePauseMs)
  const lastAt = await replicas.until(state => {
    const endpoints = endpointsOf(state)
    return endpoints?.length === pods && endpoints.every(({ address }) => renewed.has(address))
  })
  const took = lastAt - restartAt
  const least = (100 * Math.min(...sizes)) / pods
  const publishes = `${sizes.length} in ${seconds(took)} of ${writes} writes`
  return [
    [`${pods} pods in ${slices} slices, all known after`, seconds(wholeAfter), 'all', '-'],
    ['rolling restart: publishes', publishes, `<= ${Math.ceil(took / 100) + 1}`, '-'],
    ['rolling restart: fewest endpoints seen', `${least.toFixed(1)} %`, '>= 90 %', '-'],
  ]
}

if (import.meta.main) printTable([head, ...(await measureLargeService())])
