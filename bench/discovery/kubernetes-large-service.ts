// A service of 2,500 pods in 25 slices: how long until all are known, and what a rolling restart looks like to a client.
import { setTimeout as delay } from 'node:timers/promises'
import { endpointsOf, sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { RealKubernetes } from '../../test/real/kubernetes.fixture.ts'
import type { KubernetesApi } from '../../test/real/kubernetes-api.fixture.ts'
import {
  corePath,
  endpointSlice,
  headlessService,
  namespaceObject,
  namespacesPath,
  readyEndpoints,
  slicePath,
} from '../../test/real/kubernetes-objects.fixture.ts'
import { printTable } from '../measure.ts'
import { head, type Row, seconds } from './spread.ts'

const slices = 25
const podsEach = 100
const pods = slices * podsEach
const namespace = 'prod'
const name = 'huge'
/** A restart replaces so many pods of one slice at a time. */
const batch = 25
const writePauseMs = 30
const isEnding = { ready: false, serving: true, terminating: true }

export async function measureLargeService(): Promise<readonly Row[]> {
  await using kubernetes = await RealKubernetes.start()
  const { api } = kubernetes
  await createHugeService(api)
  await using server = await WatchedServer.start(await kubernetes.namer())
  const startedAt = performance.now()
  const replicas = server.replicas(`/#/io.l5d.k8s/${namespace}/http/${name}`)
  const wholeAfter = (await replicas.until(state => sizeOf(state) === pods)) - startedAt
  const sizes: number[] = []
  replicas.onDelivery(state => sizes.push(sizeOf(state)))
  const renewed = new Set(readyEndpoints(pods, pods).map(({ addresses: [address] }) => address))
  const restartAt = performance.now()
  const writes = await restart(api)
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

async function createHugeService(api: KubernetesApi): Promise<void> {
  await api.create(namespacesPath, namespaceObject(namespace))
  await api.create(corePath(namespace, 'services'), headlessService(name))
  const all = Array.from({ length: slices }, (_, n) =>
    endpointSlice({ name: sliceName(n), service: name, endpoints: readyEndpoints(podsEach, n * podsEach) }),
  )
  await api.createAll(slicePath(namespace), all)
}

/** Replaces every pod: a batch of a slice begins to end, then its successors are ready. Resolves to the number of writes. */
async function restart(api: KubernetesApi): Promise<number> {
  let writes = 0
  for (let slice = 0; slice < slices; slice++) {
    const endpoints = [...readyEndpoints(podsEach, slice * podsEach)]
    for (let at = 0; at < podsEach; at += batch) {
      const ending = endpoints.slice(at, at + batch).map(endpoint => ({ ...endpoint, conditions: isEnding }))
      const successors = readyEndpoints(batch, pods + slice * podsEach + at)
      for (const replacement of [ending, successors]) {
        endpoints.splice(at, batch, ...replacement)
        await api.patch(`${slicePath(namespace)}/${sliceName(slice)}`, { endpoints })
        writes++
        await delay(writePauseMs)
      }
    }
  }
  return writes
}

const sliceName = (n: number): string => `${name}-${n}`

if (import.meta.main) printTable([head, ...(await measureLargeService())])
