// What slices that concern nobody cost: 20,000 of them, 40 created or deleted each second, in another Kubernetes namespace and in the same.
import { setTimeout as delay } from 'node:timers/promises'
import { sizeOf, WatchedServer } from '../../test/e2e/watched-server.fixture.ts'
import { residentBytes } from '../../test/real/backend-process.fixture.ts'
import { RealKubernetes } from '../../test/real/kubernetes.fixture.ts'
import type { KubernetesApi } from '../../test/real/kubernetes-api.fixture.ts'
import {
  endpointSlice,
  namespaceObject,
  namespacesPath,
  readyEndpoints,
  slicePath,
} from '../../test/real/kubernetes-objects.fixture.ts'
import { median, printTable } from '../measure.ts'
import { createServices, timePatches, watchServices } from './slice-patches.ts'
import { head, megabytes, type Row, spread } from './spread.ts'

const unrelated = 20_000
const changesPerSecond = 40
const services = { namespace: 'prod', count: 100, endpointsEach: 20 }
const samples = 300
const pauseMs = 190

export async function measureChurn(): Promise<readonly Row[]> {
  await using kubernetes = await RealKubernetes.start()
  const { api } = kubernetes
  await createServices(api, services)
  await api.create(namespacesPath, namespaceObject('elsewhere'))
  const rows: Row[] = []
  for (const noisy of ['elsewhere', services.namespace]) {
    const slices = Array.from({ length: unrelated }, (_, n) => unrelatedSlice(n))
    await api.createAll(slicePath(noisy), slices)
    rows.push(...(await measureBeside(kubernetes, noisy, noisy === services.namespace ? 'the same' : 'another')))
  }
  return rows
}

async function measureBeside(kubernetes: RealKubernetes, noisy: string, which: string): Promise<readonly Row[]> {
  const { api } = kubernetes
  await using server = await WatchedServer.start(await kubernetes.namer())
  const watched = watchServices(server, services)
  await Promise.all(watched.map(each => each.until(state => sizeOf(state) > 0)))
  const phase = async () => {
    const bytes: number[] = []
    const afterEach = (): void => void bytes.push(residentBytes(server.pid))
    const { client } = await timePatches(api, services, watched, { samples, pauseMs, afterEach })
    return { client, bytes: median(bytes.slice(-samples / 3)) }
  }
  const quiet = await phase()
  await using churn = new Churn(api, noisy)
  const loud = await phase()
  const growth = 100 * (loud.bytes / quiet.bytes - 1)
  const place = `${unrelated} unrelated slices in ${which} namespace`
  return [
    [
      `${place}: resident memory, after ${churn.changes} changes`,
      megabytes(loud.bytes),
      '-',
      `before ${megabytes(quiet.bytes)}`,
    ],
    [`${place}: growth`, `${growth.toFixed(1)} %`, '< 10 %', '-'],
    [`${place}: patch to client, p50 / p99 / max`, spread(loud.client), 'as before', `before ${spread(quiet.client)}`],
  ]
}

/** Deletes and creates unrelated slices at an even pace until disposed. */
class Churn implements AsyncDisposable {
  changes = 0
  #isOver = false
  readonly #done: Promise<void>

  constructor(api: KubernetesApi, namespace: string) {
    this.#done = this.#goOn(api, slicePath(namespace))
  }

  async #goOn(api: KubernetesApi, path: string): Promise<void> {
    const startedAt = performance.now()
    while (!this.#isOver) {
      const slice = Math.floor(this.changes / 2) % unrelated
      if (this.changes % 2 === 0) await api.delete(`${path}/${unrelatedName(slice)}`)
      else await api.create(path, unrelatedSlice(slice))
      this.changes++
      await delay(startedAt + (this.changes * 1000) / changesPerSecond - performance.now())
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#done
  }
}

const unrelatedName = (n: number): string => `unrelated-${n}`

function unrelatedSlice(n: number): object {
  return endpointSlice({
    name: unrelatedName(n),
    service: unrelatedName(n),
    endpoints: readyEndpoints(5, 1_000_000 + n * 5),
  })
}

if (import.meta.main) printTable([head, ...(await measureChurn())])
