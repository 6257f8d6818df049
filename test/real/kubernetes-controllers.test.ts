// K1 on slices that the real controller writes from pods: whoever asks, and in whatever way, is told what the pods say.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { formatBoundTree } from '../../naming/bound-tree.ts'
import { parsePath } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import { Watched, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'
import { eventually } from './backend-process.fixture.ts'
import { RealKubernetes } from './kubernetes.fixture.ts'
import {
  corePath,
  headlessService,
  namespaceObject,
  namespacesPath,
  node,
  pod,
  podStatus,
  slicePath,
} from './kubernetes-objects.fixture.ts'
import { shown } from './shown.fixture.ts'

const path = '/#/io.l5d.k8s/prod/http/web'
const services = corePath('prod', 'services')
const pods = corePath('prod', 'pods')
const selector = { app: 'web' }
const steps = 24

/** What the pods say: the oracle, and the hands that change it. */
class Pods {
  readonly #kubernetes: RealKubernetes
  readonly #isReady = new Map<string, boolean>()
  #made = 0

  constructor(kubernetes: RealKubernetes) {
    this.#kubernetes = kubernetes
  }

  get names(): readonly string[] {
    return [...this.#isReady.keys()]
  }

  /** As `shown` would show it. */
  get truth(): string {
    const ready = [...this.#isReady].filter(([, isReady]) => isReady)
    return ready.length === 0
      ? 'neg'
      : ready
          .map(([name]) => `${addressOf(name)}:8080`)
          .toSorted()
          .join(' ')
  }

  async add(): Promise<void> {
    const name = `web-${this.#made++}`
    await this.#kubernetes.api.create(pods, pod(name, selector, 'node-1'))
    await this.setReady(name, true)
  }

  async setReady(name: string, isReady: boolean): Promise<void> {
    await this.#kubernetes.api.patch(`${pods}/${name}/status`, podStatus(addressOf(name), isReady))
    this.#isReady.set(name, isReady)
  }

  async flip(name: string): Promise<void> {
    await this.setReady(name, this.#isReady.get(name) !== true)
  }

  async remove(name: string): Promise<void> {
    await this.#kubernetes.api.delete(`${pods}/${name}`)
    this.#isReady.delete(name)
  }

  async scaleTo(count: number): Promise<void> {
    for (const name of this.names.slice(count)) await this.remove(name)
    while (this.names.length < count) await this.add()
  }
}

const addressOf = (name: string): string => `10.5.0.${1 + Number(name.slice('web-'.length))}`

const resolved = z.object({
  pending: z.boolean().optional(),
  addr: z
    .object({ type: z.string(), addrs: z.array(z.object({ ip: z.string(), port: z.number() })).optional() })
    .optional(),
})

/** What somebody is told who has asked never before. */
async function askAnew({ httpPort }: WatchedServer): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/api/resolve/default?path=${encodeURIComponent(path)}`)
  const { addr } = resolved.parse(await response.json())
  if (addr?.type !== 'bound') return addr?.type ?? 'pending'
  return (addr.addrs ?? [])
    .map(({ ip, port }) => `${ip}:${port}`)
    .toSorted()
    .join(' ')
}

describe('K1: slices that the real controller writes', () => {
  let kubernetes: RealKubernetes
  let server: WatchedServer
  beforeAll(async () => {
    kubernetes = await RealKubernetes.start({ withControllers: true })
    await kubernetes.api.create(namespacesPath, namespaceObject('prod'))
    await kubernetes.api.create('/api/v1/nodes', node('node-1', 'zone-1'))
    await kubernetes.api.create(services, headlessService('web', selector))
    server = await WatchedServer.start(await kubernetes.namer({ emptyHoldDownMs: 0 }))
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await kubernetes?.[Symbol.asyncDispose]()
  })

  it(`agree with the pods for every observer after each of ${steps} changes, to none and back too`, async () => {
    const web = new Pods(kubernetes)
    const random = seededRandom(1)
    const replicas = server.replicas(path)
    const tree = new Watched(server.client.bind({ namespace: 'default', path: orThrow(parsePath(path)) }))
    const agree = async (step: string): Promise<void> => {
      await eventually(`${step}: ${web.truth}`, async () => {
        const treeText = tree.state.kind === 'ok' ? formatBoundTree(tree.state.value) : tree.state.kind
        const isBound = treeText === path
        return (
          shown(replicas.state) === web.truth &&
          isBound === (web.truth !== 'neg') &&
          (await askAnew(server)) === web.truth
        )
      })
    }
    await agree('before any pod')
    await web.scaleTo(3)
    await agree('three pods')
    const changes = [
      () => web.add(),
      () => web.flip(web.names[Math.floor(random() * web.names.length)] ?? ''),
      () => web.remove(web.names[0] ?? ''),
      () => web.scaleTo(0),
      () => web.scaleTo(4),
    ]
    for (let step = 0; step < steps; step++) {
      const change = web.names.length === 0 ? 4 : Math.floor(random() * changes.length)
      await changes[change]?.()
      await agree(`step ${step}, change ${change}`)
    }
    await web.scaleTo(0)
    await agree('no pod')
    await web.scaleTo(2)
    await agree('two again')
  })

  it('go with their service, and come back with it', async () => {
    const replicas = server.replicas(path)
    const before = shown(replicas.state)
    expect(before).toMatch(/^\S+ \S+$/)
    await kubernetes.api.delete(`${services}/web`)
    // What the garbage collector does, which does not run here.
    await kubernetes.api.request('DELETE', `${slicePath('prod')}?labelSelector=kubernetes.io/service-name%3Dweb`)
    await replicas.until(state => shown(state) === 'neg')
    await kubernetes.api.create(services, headlessService('web', selector))
    await replicas.until(state => shown(state) === before)
  })

  it('tell when the pods changed, and so how late the news is', async () => {
    expect(await server.metric('watch_source_lag_seconds_count')).toBeGreaterThan(0)
    expect(await server.metric('source_degraded')).toBe(0)
    expect(await server.metric('namer_k8s_drift')).toBe(0)
  })
})
