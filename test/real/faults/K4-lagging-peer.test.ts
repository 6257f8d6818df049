// K4: two real API servers behind one address, and the second has lost its etcd: what it remembers is old, and is not believed.
import { describe, expect, it } from 'vitest'
import { WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from '../kubernetes-objects.fixture.ts'
import { shown, shows } from '../shown.fixture.ts'
import { TcpRelay } from '../tcp-relay.fixture.ts'

const slices = slicePath('prod')
const flips = 2
/** Nobody listens there. */
const nowhere = 1
const address = (n: number): string => `10.12.0.${n}`

describe('K4: an API server that is behind', () => {
  it(`is never believed, flipped to ${flips} times, and followed again once it has caught up`, async () => {
    await using kubernetes = await RealKubernetes.start()
    const { api, port, etcdPort } = kubernetes
    const change = async (n: number): Promise<void> => {
      await api.patch(`${slices}/web`, { endpoints: [{ addresses: [address(n)] }] })
    }
    await api.create(namespacesPath, namespaceObject('prod'))
    await api.create(slices, endpointSlice({ name: 'web', service: 'web', endpoints: [{ addresses: [address(1)] }] }))
    await using pathOfPeer = await TcpRelay.open(etcdPort)
    await using peer = await kubernetes.startPeer(pathOfPeer.port)
    await using balancer = await TcpRelay.open(port)
    const kubeconfig = await kubernetes.kubeconfigBehind(balancer.port)
    await using server = await WatchedServer.start({ kind: 'io.l5d.k8s', kubeconfig, emptyHoldDownMs: 0 })
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(shows(`${address(1)}:8080`))
    const seen = [shown(replicas.state)]
    replicas.onDelivery(state => void (seen.at(-1) !== shown(state) && seen.push(shown(state))))
    const truth = [1, 2, 3, 4].map(n => `${address(n)}:8080`)

    pathOfPeer.moveTo(nowhere)
    for (let flip = 1; flip <= flips; flip++) {
      await change(flip + 1)
      await replicas.until(shows(`${address(flip + 1)}:8080`))
      const asked = await server.metric('namer_k8s_lists')
      balancer.moveTo(peer.port)
      await eventually('a list from the peer', async () => (await server.metric('namer_k8s_lists')) > asked)
      balancer.moveTo(port)
      await eventually('the gauge that is well', async () => (await server.metric('source_degraded')) === 0)
    }
    balancer.moveTo(peer.port)
    await change(flips + 2)
    pathOfPeer.moveTo(etcdPort)
    await replicas.until(shows(`${address(flips + 2)}:8080`))
    expect(seen).toEqual(truth)
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
  })
})
