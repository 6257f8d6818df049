// K6: the path to the API server is dead and nobody says so. It is noticed, what was known stays, and what changed is seen.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from '../kubernetes-objects.fixture.ts'
import { shown, shows } from '../shown.fixture.ts'
import { TcpRelay } from '../tcp-relay.fixture.ts'

const slices = slicePath('prod')
const changed = 10

const addresses = (third: number): readonly string[] =>
  Array.from({ length: changed }, (_, n) => `10.8.${third}.${n + 1}`)
const shownAs = (third: number): readonly string[] => addresses(third).map(address => `${address}:8080`)

describe('K6: a path that is dead', () => {
  let kubernetes: RealKubernetes
  beforeAll(async () => {
    kubernetes = await RealKubernetes.start()
    await kubernetes.api.create(namespacesPath, namespaceObject('prod'))
    await kubernetes.api.createAll(slices, slicesOf('web', 1))
    await kubernetes.api.createAll(slices, slicesOf('api', 1))
  })
  afterAll(() => kubernetes?.[Symbol.asyncDispose]())

  /** Each endpoint has a slice of its own. */
  function slicesOf(service: string, third: number): readonly object[] {
    return addresses(third).map((address, n) =>
      endpointSlice({ name: `${service}-${n}`, service, endpoints: [{ addresses: [address] }] }),
    )
  }

  async function changeAll(service: string, third: number): Promise<void> {
    for (const [n, address] of addresses(third).entries())
      await kubernetes.api.patch(`${slices}/${service}-${n}`, { endpoints: [{ addresses: [address] }] })
  }

  it('is noticed behind a middlebox that keeps connections and passes nothing; 10 changes are seen when it heals', async () => {
    await using relay = await TcpRelay.open(kubernetes.port)
    const kubeconfig = await kubernetes.kubeconfigBehind(relay.port)
    await using server = await WatchedServer.start({ kind: 'io.l5d.k8s', kubeconfig })
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(shows(...shownAs(1)))
    const seen: string[] = []
    replicas.onDelivery(state => seen.push(shown(state)))
    relay.stopPassing()
    await changeAll('web', 2)
    await isNoticed(server)
    expect(shown(replicas.state)).toBe(shownText(1))
    relay.passAgain()
    await replicas.until(shows(...shownAs(2)))
    expect(new Set(seen)).toEqual(new Set([shownText(1), shownText(2)]))
    await isWell(server)
  })

  it('is noticed while the API server stands still, and followed when it goes on', async () => {
    await using server = await WatchedServer.start(await kubernetes.namer())
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/api')
    await replicas.until(shows(...shownAs(1)))
    kubernetes.freezeApiServer()
    await isNoticed(server)
    expect(shown(replicas.state)).toBe(shownText(1))
    kubernetes.resumeApiServer()
    await changeAll('api', 2)
    await replicas.until(shows(...shownAs(2)))
    await isWell(server)
  })
})

const shownText = (third: number): string => shownAs(third).toSorted().join(' ')

/** The limit is that of the row: a dead path is detected within 15 s. */
async function isNoticed(server: WatchedServer): Promise<void> {
  await eventually('a gauge that tells it', async () => (await server.metric('source_degraded')) === 1, 15_000)
}

async function isWell(server: WatchedServer): Promise<void> {
  await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
  expect(await server.metric('namer_k8s_drift')).toBe(0)
}
