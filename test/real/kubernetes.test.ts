// What changes in a real API server, spoken to over HTTPS, reaches a client on the gRPC watch of a server process.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { endpointsOf, isNeg, WatchedServer } from '../e2e/watched-server.fixture.ts'
import { RealKubernetes } from './kubernetes.fixture.ts'
import { corePath, endpointSlice, namespaceObject, namespacesPath, slicePath } from './kubernetes-objects.fixture.ts'
import { shows } from './shown.fixture.ts'

const slices = slicePath('prod')
const services = corePath('prod', 'services')
const at = (...addresses: readonly string[]) => addresses.map(address => ({ addresses: [address] }))

/** Two ports by name and number; the slices' numbers are others. */
const twoPorts = (name: string, httpPort = 80): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    ports: [
      { name: 'http', port: httpPort, targetPort: 8080 },
      { name: 'admin', port: 90, targetPort: 9090 },
    ],
  },
})

describe('a real API server', () => {
  let kubernetes: RealKubernetes
  let server: WatchedServer
  beforeAll(async () => {
    kubernetes = await RealKubernetes.start()
    await kubernetes.api.create(namespacesPath, namespaceObject('prod'))
    vi.stubEnv('NAMESPACE_OF_THIS_POD', 'prod')
    const kubeconfig = await kubernetes.tokenKubeconfig()
    const certificate = await kubernetes.certificateKubeconfig()
    const plugin = await kubernetes.pluginKubeconfig()
    const shared = { kubeconfig, emptyHoldDownMs: 0, massEmpty: false }
    server = await WatchedServer.start(
      { ...shared, kind: 'io.l5d.k8s' },
      { ...shared, kind: 'io.l5d.k8s', prefix: '/certificate', kubeconfig: certificate },
      { ...shared, kind: 'io.l5d.k8s', prefix: '/plugin', kubeconfig: plugin },
      { ...shared, kind: 'io.l5d.k8s', prefix: '/version', labelSelector: 'version' },
      { ...shared, kind: 'io.l5d.k8s', prefix: '/draining', terminating: 'lastResort' },
      { ...shared, kind: 'io.l5d.k8s.ns', envVar: 'NAMESPACE_OF_THIS_POD' },
      { ...shared, kind: 'io.l5d.k8s.external' },
    )
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await server?.[Symbol.asyncDispose]()
    await kubernetes?.[Symbol.asyncDispose]()
  })

  it.each([
    { way: 'a token', prefix: '/#/io.l5d.k8s/prod', service: 'by-token' },
    { way: 'a client certificate', prefix: '/#/certificate/prod', service: 'by-certificate' },
    { way: 'a token from a plugin', prefix: '/#/plugin/prod', service: 'by-plugin' },
    { way: 'the namespace of a variable', prefix: '/#/io.l5d.k8s.ns', service: 'by-variable' },
  ])('is followed with $way: slices that are created, patched and deleted', async ({ prefix, service }) => {
    const { api } = kubernetes
    const replicas = server.replicas(`${prefix}/http/${service}`)
    await replicas.until(isNeg)
    await api.create(slices, endpointSlice({ name: `${service}-1`, service, endpoints: at('10.1.0.1') }))
    await replicas.until(shows('10.1.0.1:8080'))
    const endpoint = { addresses: ['10.1.0.3'], nodeName: 'node-1', zone: 'zone-1' }
    await api.create(slices, endpointSlice({ name: `${service}-2`, service, endpoints: [endpoint] }))
    await replicas.until(shows('10.1.0.1:8080', '10.1.0.3:8080'))
    expect(endpointsOf(replicas.state)?.map(({ metadata }) => metadata)).toEqual([
      undefined,
      { nodeName: 'node-1', zone: 'zone-1' },
    ])
    await api.patch(`${slices}/${service}-1`, { endpoints: at('10.1.0.1', '10.1.0.2') })
    await replicas.until(shows('10.1.0.1:8080', '10.1.0.2:8080', '10.1.0.3:8080'))
    await api.delete(`${slices}/${service}-1`)
    await replicas.until(shows('10.1.0.3:8080'))
    await api.delete(`${slices}/${service}-2`)
    await replicas.until(isNeg)
  })

  it('gives ports by name and by number, through the Service, and follows a number that changes', async () => {
    const { api } = kubernetes
    await api.create(services, twoPorts('ports'))
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'admin', port: 9090 },
    ]
    const watched = (port: string) => server.replicas(`/#/io.l5d.k8s/prod/${port}/ports`)
    const [http, admin, at80, at81, at90, target] = ['http', 'admin', '80', '81', '90', '8080'].map(watched)
    await api.create(slices, endpointSlice({ name: 'ports-1', service: 'ports', endpoints: at('10.2.0.1'), ports }))
    await http?.until(shows('10.2.0.1:8080'))
    await at80?.until(shows('10.2.0.1:8080'))
    await admin?.until(shows('10.2.0.1:9090'))
    await at90?.until(shows('10.2.0.1:9090'))
    await at81?.until(isNeg)
    await target?.until(isNeg)
    await api.patch(`${services}/ports`, twoPorts('ports', 81))
    await at81?.until(shows('10.2.0.1:8080'))
    await at80?.until(isNeg)
  })

  it('is asked for the value of a label', async () => {
    const { api } = kubernetes
    for (const [n, version] of ['v1', 'v2'].entries()) {
      const name = `labelled-${version}`
      await api.create(slices, endpointSlice({ name, service: 'labelled', endpoints: at(`10.3.0.${n + 1}`) }))
      await api.patch(`${slices}/${name}`, { metadata: { labels: { version } } })
    }
    const [first, second, third] = ['v1', 'v2', 'v3'].map(each =>
      server.replicas(`/#/version/prod/http/labelled/${each}`),
    )
    await first?.until(shows('10.3.0.1:8080'))
    await second?.until(shows('10.3.0.2:8080'))
    await third?.until(isNeg)
    await api.patch(`${slices}/labelled-v2`, { metadata: { labels: { version: 'v3' } } })
    await third?.until(shows('10.3.0.2:8080'))
    await second?.until(isNeg)
  })

  it('has endpoints that are ready, serving and terminating', async () => {
    const { api } = kubernetes
    const normal = server.replicas('/#/io.l5d.k8s/prod/http/conditions')
    const draining = server.replicas('/#/draining/prod/http/conditions')
    const [ready, unsaid, unready, ending, ended] = [
      { addresses: ['10.4.0.1'], conditions: { ready: true, serving: true, terminating: false } },
      { addresses: ['10.4.0.2'] },
      { addresses: ['10.4.0.3'], conditions: { ready: false, serving: false, terminating: false } },
      { addresses: ['10.4.0.4'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.4.0.5'], conditions: { ready: false, serving: false, terminating: true } },
    ]
    const endpoints = [ready, unsaid, unready, ending, ended]
    await api.create(slices, endpointSlice({ name: 'conditions', service: 'conditions', endpoints }))
    for (const watched of [normal, draining]) await watched.until(shows('10.4.0.1:8080', '10.4.0.2:8080'))
    await api.patch(`${slices}/conditions`, { endpoints: [unready, ending, ended] })
    await draining.until(shows('10.4.0.4:8080'))
    expect(draining.state).toMatchObject({ value: { metadata: { terminating: true } } })
    await normal.until(isNeg)
  })

  it('tells where load balancers are', async () => {
    const { api } = kubernetes
    await api.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'edge' },
      spec: { type: 'LoadBalancer', ports: [{ name: 'http', port: 80 }] },
    })
    const byName = server.replicas('/#/io.l5d.k8s.external/prod/http/edge')
    const byNumber = server.replicas('/#/io.l5d.k8s.external/prod/80/edge')
    await byName.until(isNeg)
    const ingress = (...entries: readonly object[]) =>
      api.patch(`${services}/edge/status`, { status: { loadBalancer: { ingress: entries } } })
    await ingress({ ip: '203.0.113.1' }, { ip: '203.0.113.2' })
    await byName.until(shows('203.0.113.1:80', '203.0.113.2:80'))
    await byNumber.until(shows('203.0.113.1:80', '203.0.113.2:80'))
    await ingress({ ip: '203.0.113.2' })
    await byName.until(shows('203.0.113.2:80'))
    await api.delete(`${services}/edge`)
    await byName.until(isNeg)
  })

  it('is heard of truly: nothing is degraded, nothing drifted, and each change was timed', async () => {
    expect(await server.metric('source_degraded')).toBe(0)
    expect(await server.metric('namer_k8s_drift')).toBe(0)
    expect(await server.metric('watch_lag_seconds_count')).toBeGreaterThan(0)
  })
})
