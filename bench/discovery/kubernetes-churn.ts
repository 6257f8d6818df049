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
import { SliceWatch } from './slice-watch.ts'
import { head, megabytes, type Row, spread } from './spread.ts'

const unrelated = 20_000
const changesPerSecond = 40
const services = { namespace: 'prod', count: 100, endpointsEach: 20 }
/** In which what the start needed is given back. */
const settleMs = 30_000
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

interface Phase {
  readonly client: readonly number[]
  readonly bare: readonly number[]
  /** Resident memory in bytes after the first third: the median, and the most. */
  readonly usual: number
  readonly highest: number
}

async function measureBeside(kubernetes: RealKubernetes, noisy: string, which: string): Promise<readonly Row[]> {
  const { api } = kubernetes
  await using server = await WatchedServer.start(await kubernetes.namer())
  const watched = watchServices(server, services)
  await Promise.all(watched.map(each => each.until(state => sizeOf(state) > 0)))
  await delay(settleMs)
  await using bareWatch = await SliceWatch.open(api, services.namespace)
  const phase = async (): Promise<Phase> => {
    const bytes: number[] = []
    const afterEach = (): void => void bytes.push(residentBytes(server.pid))
    const times = await timePatches(api, services, watched, {
      pid: server.pid,
      samples,
      pauseMs,
      bareWatch,
      afterEach,
    })
    const late = bytes.slice(samples / 3)
    return { ...times, usual: median(late), highest: Math.max(...late) }
  }
  const quiet = await phase()
  await using churn = new Churn(api, noisy)
  const loud = await phase()
  const memory = ({ usual, highest }: Phase): string => `${megabytes(usual)}, at most ${megabytes(highest)}`
  const growth = (of: (phase: Phase) => number): string => `${(100 * (of(loud) / of(quiet) - 1)).toFixed(1)} %`
  const place = `${unrelated} unrelated slices in ${which} namespace`
  const growths = `${growth(({ usual }) => usual)}, of the highest ${growth(({ highest }) => highest)}`
  return [
    [`${place}: memory during ${churn.changes} changes`, memory(loud), '-', `before: ${memory(quiet)}`],
    [`${place}: growth`, growths, '< 10 %', '-'],
    [`${place}: patch to client, p50 / p99 / max`, spread(loud.client), 'as before', `before: ${spread(quiet.client)}`],
    [`${place}: the same by a bare watch`, spread(loud.bare), '-', `before: ${spread(quiet.bare)}`],
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
      await delay(Math.max(0, startedAt + (this.changes * 1000) / changesPerSecond - performance.now()))
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
