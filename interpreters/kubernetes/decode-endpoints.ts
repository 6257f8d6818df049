// From EndpointSlice and Endpoints objects, as the API server sends them, to records. Knows nothing of names that are followed.
import type { EndpointGroup, EndpointRecord, Member, MemberKind } from './endpoint-record.ts'
import { flagAt, type Json, listAt, nameOf, objectAt, objectFrom, textAt } from './json-fields.ts'
import { tcpPorts } from './named-ports.ts'
import type { SharedParts } from './shared-parts.ts'

export interface DecodeOptions {
  readonly shared: SharedParts
  /** The label whose value is kept. */
  readonly labelKey?: string
}

/** The label by which a slice says whose it is. */
export const serviceLabel = 'kubernetes.io/service-name'

const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'
const overCapacity = 'endpoints.kubernetes.io/over-capacity'

/** Undefined for a slice of no service; throws when it is no EndpointSlice. */
export function decodeSlice(object: unknown, options: DecodeOptions): EndpointRecord | undefined {
  const slice = objectFrom(object, 'an EndpointSlice')
  const metadata = objectAt(slice, 'metadata')
  const service = textAt(objectAt(metadata, 'labels'), serviceLabel)
  if (service === undefined) return undefined
  const ports = options.shared.ports(tcpPorts(listAt(slice, 'ports')))
  const members: Member[] = []
  for (const endpoint of listAt(slice, 'endpoints')) {
    const member = memberFrom(objectFrom(endpoint, 'an endpoint'), options.shared)
    if (member !== undefined) members.push(member)
  }
  const hasHostNames = textAt(slice, 'addressType') === 'FQDN'
  const group = { ports, members, ...(hasHostNames && { hasHostNames }) }
  return { service, groups: [group], ...factsOf(metadata, options) }
}

/** Throws when it is no Endpoints object. */
export function decodeEndpoints(object: unknown, options: DecodeOptions): EndpointRecord {
  const endpoints = objectFrom(object, 'an Endpoints object')
  const metadata = objectAt(endpoints, 'metadata')
  const isTruncated = textAt(objectAt(metadata, 'annotations'), overCapacity) === 'truncated'
  return {
    service: nameOf(metadata),
    groups: listAt(endpoints, 'subsets').map(subset => groupFrom(objectFrom(subset, 'a subset'), options.shared)),
    ...factsOf(metadata, options),
    ...(isTruncated && { isTruncated }),
  }
}

function factsOf(metadata: Json, { labelKey }: DecodeOptions): Pick<EndpointRecord, 'label' | 'triggeredAt'> {
  const label = labelKey === undefined ? undefined : textAt(objectAt(metadata, 'labels'), labelKey)?.toLowerCase()
  const triggeredAt = timeFrom(textAt(objectAt(metadata, 'annotations'), triggerTime))
  return { ...(label !== undefined && { label }), ...(triggeredAt !== undefined && { triggeredAt }) }
}

function memberFrom(endpoint: Json, shared: SharedParts): Member | undefined {
  const kind = memberKind(objectAt(endpoint, 'conditions'))
  // The API gives addresses after the first no meaning.
  const host = listAt(endpoint, 'addresses')[0]
  if (typeof host !== 'string' || kind === undefined) return undefined
  return { host, kind, metadata: shared.metadata(textAt(endpoint, 'nodeName'), textAt(endpoint, 'zone')) }
}

/** By the rules of the API: a condition that is not known counts as ready, serving follows ready, terminating is false. */
function memberKind(conditions: Json): MemberKind | undefined {
  if (flagAt(conditions, 'ready') ?? true) return 'ready'
  const isServing = flagAt(conditions, 'serving') ?? false
  return isServing && flagAt(conditions, 'terminating') === true ? 'terminating' : undefined
}

function groupFrom(subset: Json, shared: SharedParts): EndpointGroup {
  const members: Member[] = []
  for (const item of listAt(subset, 'addresses')) {
    const address = objectFrom(item, 'an address')
    const host = textAt(address, 'ip')
    if (host === undefined) continue
    members.push({ host, kind: 'ready', metadata: shared.metadata(textAt(address, 'nodeName'), undefined) })
  }
  return { ports: shared.ports(tcpPorts(listAt(subset, 'ports'))), members }
}

/** In ms since 1970. */
function timeFrom(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined
  // biome-ignore lint/style/noRestrictedGlobals: it reads a text, no clock.
  const time = Date.parse(timestamp)
  return Number.isFinite(time) ? time : undefined
}
