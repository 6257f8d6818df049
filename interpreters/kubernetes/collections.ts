// The paths and selectors of what is read from an API server, and what is kept of each object.
import type { Collection } from '../../clients/kubernetes/cluster.ts'
import { decodeEndpoints, decodeSlice, serviceLabel } from './decode-endpoints.ts'
import { decodeExternalService, decodeService, type ServiceRecord } from './decode-service.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import type { SharedParts } from './shared-parts.ts'

export interface CollectionOptions {
  readonly namespace: string
  readonly shared: SharedParts
  readonly maxObjects: number
  /** Objects without this label are of no use, so the server leaves them out. */
  readonly labelKey?: string
}

export const discoveryGroup = '/apis/discovery.k8s.io/v1'

export function slicesPath(namespace: string): string {
  return `${discoveryGroup}/namespaces/${namespace}/endpointslices`
}

export function endpointsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/endpoints`
}

/** The slices of one service, or those of every service of the namespace. */
export function slicesOf(options: CollectionOptions, service?: string): Collection<EndpointRecord> {
  const owner = service === undefined ? serviceLabel : `${serviceLabel}=${service}`
  return {
    path: slicesPath(options.namespace),
    labelSelector: options.labelKey === undefined ? owner : `${owner},${options.labelKey}`,
    strip: object => decodeSlice(object, options),
    maxObjects: options.maxObjects,
  }
}

/** The Endpoints object of one service, or all of the namespace. */
export function endpointsOf(options: CollectionOptions, service?: string): Collection<EndpointRecord> {
  return {
    path: endpointsPath(options.namespace),
    ...selectorsOf(options, service),
    strip: object => decodeEndpoints(object, options),
    maxObjects: options.maxObjects,
  }
}

/** One Service for its ports, or all of the namespace. */
export function servicesOf(options: CollectionOptions, service?: string): Collection<ServiceRecord> {
  return {
    path: servicesPath(options.namespace),
    ...selectorsOf({}, service),
    strip: decodeService,
    maxObjects: options.maxObjects,
  }
}

/** The same with load balancer and label. */
export function externalServicesOf(options: CollectionOptions, service?: string): Collection<ServiceRecord> {
  return {
    path: servicesPath(options.namespace),
    ...selectorsOf(options, service),
    strip: object => decodeExternalService(object, options.labelKey),
    maxObjects: options.maxObjects,
  }
}

function servicesPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/services`
}

function selectorsOf(
  { labelKey }: Pick<CollectionOptions, 'labelKey'>,
  service: string | undefined,
): Pick<Collection<unknown>, 'labelSelector' | 'fieldSelector'> {
  return {
    ...(labelKey !== undefined && { labelSelector: labelKey }),
    ...(service !== undefined && { fieldSelector: `metadata.name=${service}` }),
  }
}
