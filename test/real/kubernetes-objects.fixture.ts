// Kubernetes objects as the tests write them, and their addresses in the API.

export const namespacesPath = '/api/v1/namespaces'
export const slicePath = (namespace: string): string =>
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
export const corePath = (namespace: string, plural: string): string => `/api/v1/namespaces/${namespace}/${plural}`

export interface SliceEndpoint {
  readonly addresses: readonly string[]
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
  readonly nodeName?: string
  readonly zone?: string
}

export interface SliceOptions {
  readonly name: string
  readonly service: string
  readonly endpoints: readonly SliceEndpoint[]
  /** `http` on 8080 when absent. */
  readonly ports?: readonly { readonly name: string; readonly port: number }[]
  readonly annotations?: Readonly<Record<string, string>>
}

export const namespaceObject = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

/** A slice as the controller writes it. The API server refuses loopback addresses. */
export function endpointSlice({ name, service, endpoints, ports, annotations }: SliceOptions): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      labels: { 'kubernetes.io/service-name': service },
      ...(annotations !== undefined && { annotations }),
    },
    addressType: 'IPv4',
    ports: (ports ?? [{ name: 'http', port: 8080 }]).map(port => ({ ...port, protocol: 'TCP' })),
    endpoints,
  }
}

/** So many ready endpoints on 200 nodes in three zones, with addresses of their own; `from` counts them through 10.128.0.0/9. */
export function readyEndpoints(count: number, from = 0): readonly SliceEndpoint[] {
  return Array.from({ length: count }, (_, n) => {
    const at = from + n
    const address = `10.${128 + ((at >> 16) & 127)}.${(at >> 8) & 255}.${at & 255}`
    const conditions = { ready: true, serving: true, terminating: false }
    return { addresses: [address], conditions, nodeName: `node-${at % 200}`, zone: `zone-${at % 3}` }
  })
}

/** A service without a cluster address; with a selector the real controller writes its slices. */
export function headlessService(name: string, selector?: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      clusterIP: 'None',
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...(selector !== undefined && { selector }),
    },
  }
}

export function node(name: string, zone: string): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } } }
}

/** A pod on a node that must exist, or the controller skips it. It has no address until its status is set. */
export function pod(name: string, labels: Readonly<Record<string, string>>, nodeName: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      nodeName,
      containers: [{ name: 'main', image: 'none', ports: [{ name: 'http', containerPort: 8080 }] }],
    },
  }
}

/** What a kubelet would write once the pod runs, or fails its readiness check. */
export function podStatus(address: string, isReady: boolean): object {
  return {
    status: {
      phase: 'Running',
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  }
}
