// Patches EndpointSlices one after another and takes the time until a client, and a bare watch, see each.
import { setTimeout as delay } from 'node:timers/promises'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { sizeOf, type Watched, type WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
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
import { coreWaitMs } from './core-wait.ts'
import type { SliceWatch } from './slice-watch.ts'

/** Services of one Kubernetes namespace, each with one slice of the same name. */
export interface Services {
  readonly namespace: string
  readonly count: number
  readonly endpointsEach: number
  /** The first endpoint's number, so that no two services share an address. */
  readonly from?: number
}

export const nameOf = (n: number): string => `web-${n}`

/** Writes the namespace, its Services and their slices. */
export async function createServices(api: KubernetesApi, services: Services): Promise<void> {
  const { namespace, count, endpointsEach, from = 0 } = services
  const all = Array.from({ length: count }, (_, n) => n)
  await api.create(namespacesPath, namespaceObject(namespace))
  await api.createAll(
    corePath(namespace, 'services'),
    all.map(n => headlessService(nameOf(n))),
  )
  const slices = all.map(n => {
    const endpoints = readyEndpoints(endpointsEach, from + n * endpointsEach)
    return endpointSlice({ name: nameOf(n), service: nameOf(n), endpoints })
  })
  await api.createAll(slicePath(namespace), slices)
}

/** Watches all of them; resolves at once. */
export function watchServices(server: WatchedServer, { namespace, count }: Services): readonly Watched<ReplicaSet>[] {
  return Array.from({ length: count }, (_, n) => server.replicas(`/#/io.l5d.k8s/${namespace}/http/${nameOf(n)}`))
}

export interface PatchTimes {
  readonly client: number[]
  /** How long the server got no core meanwhile. */
  readonly coreWait: number[]
  /** Empty without a bare watch. */
  readonly bare: number[]
}

export interface PatchOptions {
  /** The server's process. */
  readonly pid: number
  readonly samples: number
  readonly pauseMs: number
  readonly bareWatch?: SliceWatch
  /** Called when a change has arrived and its pause is over. */
  readonly afterEach?: () => void
}

/** Adds an endpoint to one slice after another, and takes it away when its turn comes again, so that each change is seen apart. */
export async function timePatches(
  api: KubernetesApi,
  { namespace, endpointsEach, from = 0 }: Services,
  watched: readonly Watched<ReplicaSet>[],
  { pid, samples, pauseMs, bareWatch, afterEach }: PatchOptions,
): Promise<PatchTimes> {
  const times: PatchTimes = { client: [], coreWait: [], bare: [] }
  for (let n = 0; n < samples; n++) {
    const name = nameOf(n % watched.length)
    const replicas = watched[n % watched.length]
    if (replicas === undefined) throw new Error('nothing is watched')
    const size = sizeOf(replicas.state) === endpointsEach ? endpointsEach + 1 : endpointsEach
    const arrived = replicas.until(state => sizeOf(state) === size)
    const told = bareWatch?.until(name, size)
    const waitedBefore = coreWaitMs(pid)
    const startedAt = performance.now()
    await api.patch(`${slicePath(namespace)}/${name}`, {
      endpoints: readyEndpoints(size, from + (n % watched.length) * endpointsEach),
    })
    times.client.push((await arrived) - startedAt)
    times.coreWait.push(coreWaitMs(pid) - waitedBefore)
    if (told !== undefined) times.bare.push((await told) - startedAt)
    await delay(pauseMs)
    afterEach?.()
  }
  return times
}
