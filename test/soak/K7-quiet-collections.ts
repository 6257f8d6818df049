// K7 in its real length: 200 watches that nobody had news for in four minutes, each edited once while they are renewed.
import { setTimeout as delay } from 'node:timers/promises'
import { sizeOf, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { RealKubernetes } from '../real/kubernetes.fixture.ts'
import type { KubernetesApi } from '../real/kubernetes-api.fixture.ts'
import {
  endpointSlice,
  namespaceObject,
  namespacesPath,
  readyEndpoints,
  slicePath,
} from '../real/kubernetes-objects.fixture.ts'

const namespaces = 40
/** Few enough that each service has a watch of its own. */
const servicesEach = 5
const quietMs = 240_000
/** Watches last 240 to 300 s, so each is renewed at some instant of this time. */
const editingMs = 75_000
const wantedP99Ms = 100
const wantedMaxMs = 1_000

interface Service {
  readonly namespace: string
  readonly name: string
}

/** Rejects when an edit was seen late. */
export async function soakK7(report: (line: string) => void): Promise<void> {
  await using kubernetes = await RealKubernetes.start()
  const { api } = kubernetes
  const services = await createServices(api)
  await using server = await WatchedServer.start(await kubernetes.namer())
  const watched = services.map(service => ({
    service,
    replicas: server.replicas(`/#/io.l5d.k8s/${service.namespace}/http/${service.name}`),
  }))
  await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 1)))
  report(`${watched.length} services are watched; now four minutes of silence`)
  await delay(quietMs)
  const lags = await Promise.all(
    watched.map(async ({ service, replicas }) => {
      await delay(Math.random() * editingMs)
      const arrived = replicas.until(state => sizeOf(state) === 2, 120_000)
      const editedAt = performance.now()
      await api.patch(`${slicePath(service.namespace)}/${service.name}`, { endpoints: readyEndpoints(2, 0) })
      return (await arrived) - editedAt
    }),
  )
  const sorted = lags.sort((a, b) => a - b)
  const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  const max = sorted.at(-1) ?? Number.NaN
  const drift = await server.metric('namer_k8s_drift')
  report(
    `seen after: median ${Math.round(sorted[sorted.length >> 1] ?? Number.NaN)} ms, p99 ${Math.round(p99)} ms, max ${Math.round(max)} ms`,
  )
  if (!(p99 < wantedP99Ms && max < wantedMaxMs && drift === 0))
    throw new Error(`p99 ${p99} ms (wanted < ${wantedP99Ms}), max ${max} ms (wanted < ${wantedMaxMs}), drift ${drift}`)
}

async function createServices(api: KubernetesApi): Promise<readonly Service[]> {
  const services: Service[] = []
  for (let n = 0; n < namespaces; n++) {
    const namespace = `quiet-${n}`
    await api.create(namespacesPath, namespaceObject(namespace))
    for (let s = 0; s < servicesEach; s++) {
      const name = `web-${s}`
      const slice = endpointSlice({ name, service: name, endpoints: readyEndpoints(1, 0) })
      await api.create(slicePath(namespace), slice)
      services.push({ namespace, name })
    }
  }
  return services
}
