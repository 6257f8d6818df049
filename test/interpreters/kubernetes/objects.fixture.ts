// Kubernetes objects in few words, as the API server would send them.
import type { ClusterObject } from '../../fakes/kubernetes-cluster.fake.ts'

export interface SliceEndpoint {
  readonly address: string
  readonly ready?: boolean | null
  readonly serving?: boolean | null
  readonly terminating?: boolean | null
  readonly nodeName?: string
  readonly zone?: string
}

export interface SliceOptions {
  readonly name?: string
  readonly namespace?: string
  readonly service?: string
  /** Addresses, all ready, or whole endpoints. */
  readonly endpoints?: readonly (string | SliceEndpoint)[]
  readonly ports?: readonly { readonly name?: string | null; readonly port: number; readonly protocol?: string }[]
  readonly labels?: Readonly<Record<string, string>>
  readonly addressType?: 'IPv4' | 'IPv6' | 'FQDN'
  readonly triggeredAt?: string
}

/** One slice `web-1` of the service prod/web with the port http 8080, when nothing else is said. */
export function sliceOf(options: SliceOptions = {}): ClusterObject {
  const { name = 'web-1', namespace = 'prod', service = 'web', endpoints = ['10.0.0.1'], triggeredAt } = options
  return {
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: { 'kubernetes.io/service-name': service, ...options.labels },
      ...(triggeredAt !== undefined && {
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': triggeredAt },
      }),
    },
    addressType: options.addressType ?? 'IPv4',
    ports: (options.ports ?? [{ name: 'http', port: 8080 }]).map(port => ({ protocol: 'TCP', ...port })),
    endpoints: endpoints.map(endpoint => {
      const { address, nodeName, zone, ...conditions } =
        typeof endpoint === 'string' ? { address: endpoint, ready: true } : endpoint
      return { addresses: [address], conditions, ...(nodeName && { nodeName }), ...(zone && { zone }) }
    }),
  }
}

export interface ServiceOptions {
  readonly name?: string
  readonly namespace?: string
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[]
  readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[]
  readonly labels?: Readonly<Record<string, string>>
}

/** prod/web with port 80 named http, when nothing else is said. */
export function serviceOf(options: ServiceOptions = {}): ClusterObject {
  const { name = 'web', namespace = 'prod', ports = [{ name: 'http', port: 80 }], ingress, labels } = options
  return {
    kind: 'Service',
    metadata: { name, namespace, ...(labels && { labels }) },
    spec: { ports: ports.map(port => ({ protocol: 'TCP', ...port })) },
    status: { loadBalancer: ingress === undefined ? {} : { ingress } },
  }
}

export interface EndpointsOptions {
  readonly name?: string
  readonly namespace?: string
  readonly addresses?: readonly string[]
  readonly isTruncated?: boolean
  readonly labels?: Readonly<Record<string, string>>
}

/** The Endpoints of prod/web with the port http 8080, when nothing else is said. */
export function endpointsOf(options: EndpointsOptions = {}): ClusterObject {
  const { name = 'web', namespace = 'prod', addresses = ['10.0.0.1'], isTruncated = false, labels } = options
  return {
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      ...(labels && { labels }),
      ...(isTruncated && { annotations: { 'endpoints.kubernetes.io/over-capacity': 'truncated' } }),
    },
    subsets: [
      {
        addresses: addresses.map(ip => ({ ip, nodeName: 'n1' })),
        notReadyAddresses: [{ ip: '10.9.9.9' }],
        ports: [
          { name: 'http', port: 8080, protocol: 'TCP' },
          { name: 'dns', port: 53, protocol: 'UDP' },
        ],
      },
    ],
  }
}
