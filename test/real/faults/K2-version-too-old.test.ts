// K2: a real "too old resource version", met by a watch that goes on where it ended and by one that lost its server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { endpointsOf, type Watched, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { KubernetesGate } from '../kubernetes-gate.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from '../kubernetes-objects.fixture.ts'
import { shows } from '../shown.fixture.ts'

const slices = slicePath('prod')
const address = (n: number): string => `10.7.0.${n}`

describe('K2: the version that a watch goes on from is too old', () => {
  let kubernetes: RealKubernetes
  beforeAll(async () => {
    kubernetes = await RealKubernetes.start()
    await kubernetes.api.create(namespacesPath, namespaceObject('prod'))
  })
  afterAll(() => kubernetes?.[Symbol.asyncDispose]())

  /** Five endpoints, each in a slice of its own, so that what is deleted is an object. */
  async function createFive(service: string): Promise<void> {
    for (const n of [1, 2, 3, 4, 5]) await createOne(service, n)
  }

  async function createOne(service: string, n: number): Promise<void> {
    const endpoints = [{ addresses: [address(n)] }]
    await kubernetes.api.create(slices, endpointSlice({ name: `${service}-${n}`, service, endpoints }))
  }

  /** Three of the five go, one comes. */
  async function changeInTheGap(service: string): Promise<void> {
    for (const n of [1, 3, 5]) await kubernetes.api.delete(`${slices}/${service}-${n}`)
    await createOne(service, 6)
  }

  const before = shows(...[1, 2, 3, 4, 5].map(n => `${address(n)}:8080`))
  const after = shows(...[2, 4, 6].map(n => `${address(n)}:8080`))

  /** How often the name was shown without an endpoint, from now on. */
  function countLosses(replicas: Watched<ReplicaSet>): () => number {
    let losses = 0
    replicas.onDelivery(state => {
      if ((endpointsOf(state)?.length ?? 0) === 0) losses++
    })
    return () => losses
  }

  it('is answered with 410, listed anew, and shown as it is, never without endpoints', async () => {
    await createFive('web')
    await using gate = await KubernetesGate.open(kubernetes)
    await using server = await WatchedServer.start(gate.namer({ emptyHoldDownMs: 0 }))
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(before)
    const losses = countLosses(replicas)
    await eventually('a watch', async () => gate.answers.some(isWatch))
    const seen = gate.answers.length
    gate.shut()
    await eventually('the watch that goes on', async () => gate.waiting > 0)
    await changeInTheGap('web')
    await kubernetes.forgetHistory()
    gate.reopen()
    await replicas.until(after)
    const [first, second] = gate.answers.slice(seen)
    expect(first).toMatchObject({
      path: expect.stringContaining('watch='),
      text: expect.stringContaining('"code":410'),
    })
    expect(second?.path).not.toContain('watch=')
    expect(losses()).toBe(0)
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
    expect(await server.metric('namer_k8s_drift')).toBe(0)
  })

  it('matters as little when the API server itself was killed, over HTTPS', async () => {
    await createFive('api')
    await using server = await WatchedServer.start(await kubernetes.namer({ emptyHoldDownMs: 0 }))
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/api')
    await replicas.until(before)
    const losses = countLosses(replicas)
    await kubernetes.forgetHistory()
    await changeInTheGap('api')
    await replicas.until(after)
    expect(losses()).toBe(0)
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
  })
})

const isWatch = ({ path }: { readonly path: string }): boolean => path.includes('watch=')
