// K11: where EndpointSlices are forbidden, Endpoints stand in, and say loudly when they were cut off.
import { describe, expect, it } from 'vitest'
import { WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { corePath, namespaceObject, namespacesPath } from '../kubernetes-objects.fixture.ts'
import { NamerRights } from '../kubernetes-rights.fixture.ts'
import { shows, staleReason } from '../shown.fixture.ts'

const endpoints = corePath('prod', 'endpoints')
const overCapacity = 'endpoints.kubernetes.io/over-capacity'

const endpointsOfWeb = (...addresses: readonly string[]): object => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'web' },
  subsets: [{ addresses: addresses.map(ip => ({ ip })), ports: [{ name: 'http', port: 8080 }] }],
})

describe('K11: a role that may not read EndpointSlices', () => {
  it('is served from Endpoints, stale while one is truncated, and keeps them while those are forbidden too', async () => {
    await using kubernetes = await RealKubernetes.start()
    const { api } = kubernetes
    await api.create(namespacesPath, namespaceObject('prod'))
    await api.create(endpoints, endpointsOfWeb('10.6.0.1'))
    const rights = await NamerRights.grant(api, 'endpoints', 'services')
    const kubeconfig = await kubernetes.namerKubeconfig()
    await using server = await WatchedServer.start({ kind: 'io.l5d.k8s', kubeconfig })
    const replicas = server.replicas('/#/io.l5d.k8s/prod/http/web')
    await replicas.until(shows('10.6.0.1:8080'))
    expect(await server.metric('namer_k8s_fallback')).toBe(1)
    expect(await server.metric('source_degraded')).toBe(0)

    await api.patch(`${endpoints}/web`, {
      ...endpointsOfWeb('10.6.0.1', '10.6.0.2'),
      metadata: { annotations: { [overCapacity]: 'truncated' } },
    })
    await replicas.until(
      state => shows('10.6.0.1:8080', '10.6.0.2:8080')(state) && /truncated/.test(staleReason(state)),
    )
    expect(await server.metric('namer_k8s_truncated')).toBe(1)
    expect(await server.metric('source_degraded')).toBe(1)

    await api.patch(`${endpoints}/web`, { metadata: { annotations: { [overCapacity]: null } } })
    await replicas.until(state => staleReason(state) === '')
    expect(await server.metric('namer_k8s_truncated')).toBe(0)
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)

    await rights.change()
    await kubernetes.killApiServer()
    await kubernetes.startApiServer()
    await replicas.until(state => /forbidden/.test(staleReason(state)))
    expect(shows('10.6.0.1:8080', '10.6.0.2:8080')(replicas.state)).toBe(true)
    await rights.change('endpoints')
    await api.patch(`${endpoints}/web`, endpointsOfWeb('10.6.0.3'))
    await replicas.until(shows('10.6.0.3:8080'))
  })
})
