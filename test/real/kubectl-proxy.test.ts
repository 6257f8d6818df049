// Kubernetes as namerd's users have it: through a real `kubectl proxy`, whatever of the chain ends.
import { describe, expect, it } from 'vitest'
import { endpointsOf, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { eventually } from './backend-process.fixture.ts'
import { KubectlProxy } from './kubectl-proxy.fixture.ts'
import { RealKubernetes } from './kubernetes.fixture.ts'
import { endpointSlice, namespaceObject, namespacesPath, slicePath } from './kubernetes-objects.fixture.ts'
import { shown, shows } from './shown.fixture.ts'

const slices = slicePath('prod')

describe('Kubernetes through kubectl proxy', () => {
  it('is followed through the end of the proxy and of the API server behind it, never without endpoints', async () => {
    await using kubernetes = await RealKubernetes.start()
    const { api, folder } = kubernetes
    await api.create(namespacesPath, namespaceObject('prod'))
    await using proxy = await KubectlProxy.start(await kubernetes.tokenKubeconfig(), folder)
    await api.create(slices, endpointSlice({ name: 'web', service: 'web', endpoints: [{ addresses: ['10.11.0.1'] }] }))
    await using server = await WatchedServer.start(proxy.namer({ emptyHoldDownMs: 0 }))
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(shows('10.11.0.1:8080'))
    const losses: string[] = []
    replicas.onDelivery(state => void (endpointsOf(state) === undefined && losses.push(shown(state))))
    const change = async (to: string): Promise<void> => {
      await api.patch(`${slices}/web`, { endpoints: [{ addresses: [to] }] })
      await replicas.until(shows(`${to}:8080`))
    }
    await change('10.11.0.2')

    await proxy.kill()
    await isDegraded(server, 1)
    await proxy.start()
    await change('10.11.0.3')
    await isDegraded(server, 0)

    await kubernetes.killApiServer()
    await isDegraded(server, 1)
    await kubernetes.startApiServer()
    await change('10.11.0.4')
    await isDegraded(server, 0)
    expect(losses).toEqual([])
    expect(await server.metric('namer_k8s_drift')).toBe(0)
  })
})

async function isDegraded(server: WatchedServer, value: 0 | 1): Promise<void> {
  await eventually(`source_degraded ${value}`, async () => (await server.metric('source_degraded')) === value)
}
