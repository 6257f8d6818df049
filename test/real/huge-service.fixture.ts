// A service of 2,500 pods in 25 slices, and its rolling restart as a deployment would do it.
import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesApi } from './kubernetes-api.fixture.ts'
import {
  corePath,
  endpointSlice,
  headlessService,
  namespaceObject,
  namespacesPath,
  readyEndpoints,
  slicePath,
} from './kubernetes-objects.fixture.ts'

const slices = 25
const podsEach = 100
const namespace = 'prod'
const name = 'huge'
/** A restart replaces so many pods of one slice at a time. */
const batch = 25
const isEnding = { ready: false, serving: true, terminating: true }
const sliceName = (n: number): string => `${name}-${n}`

/** What it is when it is whole. */
export const hugeService = { path: `/#/io.l5d.k8s/${namespace}/http/${name}`, pods: slices * podsEach, slices } as const

/** The addresses of its pods after `restarts` rolling restarts. */
export function hugeAddresses(restarts: number): ReadonlySet<string | undefined> {
  return new Set(
    readyEndpoints(hugeService.pods, restarts * hugeService.pods).map(({ addresses: [address] }) => address),
  )
}

/** Makes it, in a Kubernetes namespace of its own. */
export async function createHugeService(api: KubernetesApi): Promise<void> {
  await api.create(namespacesPath, namespaceObject(namespace))
  await api.create(corePath(namespace, 'services'), headlessService(name))
  const all = Array.from({ length: slices }, (_, n) =>
    endpointSlice({ name: sliceName(n), service: name, endpoints: readyEndpoints(podsEach, n * podsEach) }),
  )
  await api.createAll(slicePath(namespace), all)
}

/** Replaces every pod: a batch of a slice begins to end, then its successors are ready. Resolves to the number of writes. */
export async function restartHugeService(api: KubernetesApi, pauseMs: number): Promise<number> {
  let writes = 0
  for (let slice = 0; slice < slices; slice++) {
    const endpoints = [...readyEndpoints(podsEach, slice * podsEach)]
    for (let at = 0; at < podsEach; at += batch) {
      const ending = endpoints.slice(at, at + batch).map(endpoint => ({ ...endpoint, conditions: isEnding }))
      const successors = readyEndpoints(batch, hugeService.pods + slice * podsEach + at)
      for (const replacement of [ending, successors]) {
        endpoints.splice(at, batch, ...replacement)
        await api.patch(`${slicePath(namespace)}/${sliceName(slice)}`, { endpoints })
        writes++
        await delay(pauseMs)
      }
    }
  }
  return writes
}
