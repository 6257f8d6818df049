// From EndpointSlice and Endpoints objects, as the API server sends them, to records. Knows nothing of names that are followed.
import { z } from 'zod'
import type { EndpointGroup, EndpointRecord, Member, MemberKind, NamedPort } from './endpoint-record.ts'
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

const text = z.string().nullish()
const flag = z.boolean().nullish()
const texts = z.record(z.string(), z.string()).nullish()
const metadata = z.object({ name: z.string(), labels: texts, annotations: texts })
const port = z.object({ name: text, port: z.int().nullish(), protocol: text })

const slice = z.object({
  metadata,
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()).nullish(),
        conditions: z.object({ ready: flag, serving: flag, terminating: flag }).nullish(),
        nodeName: text,
        zone: text,
      }),
    )
    .nullish(),
  ports: z.array(port).nullish(),
})

type Slice = z.output<typeof slice>

const endpoints = z.object({
  metadata,
  subsets: z
    .array(
      z.object({
        addresses: z.array(z.object({ ip: z.string(), nodeName: text })).nullish(),
        ports: z.array(port).nullish(),
      }),
    )
    .nullish(),
})

type Subset = NonNullable<z.output<typeof endpoints>['subsets']>[number]

/** Undefined for a slice of no service; throws when it is no EndpointSlice. */
export function decodeSlice(object: unknown, options: DecodeOptions): EndpointRecord | undefined {
  const parsed = slice.parse(object)
  const service = parsed.metadata.labels?.[serviceLabel]
  if (service === undefined) return undefined
  const ports = namedPorts(parsed.ports, options.shared)
  const members = sliceMembers(parsed.endpoints, options.shared)
  return { service, groups: [{ ports, members }], ...factsOf(parsed.metadata, options) }
}

/** Throws when it is no Endpoints object. */
export function decodeEndpoints(object: unknown, options: DecodeOptions): EndpointRecord {
  const parsed = endpoints.parse(object)
  const isTruncated = parsed.metadata.annotations?.[overCapacity] === 'truncated'
  return {
    service: parsed.metadata.name,
    groups: (parsed.subsets ?? []).map(subset => groupOf(subset, options.shared)),
    ...factsOf(parsed.metadata, options),
    ...(isTruncated && { isTruncated }),
  }
}

function factsOf(
  { labels, annotations }: z.output<typeof metadata>,
  { labelKey }: DecodeOptions,
): Pick<EndpointRecord, 'label' | 'triggeredAt'> {
  const label = labelKey === undefined ? undefined : labels?.[labelKey]?.toLowerCase()
  const triggeredAt = timeFrom(annotations?.[triggerTime])
  return { ...(label !== undefined && { label }), ...(triggeredAt !== undefined && { triggeredAt }) }
}

function sliceMembers(found: Slice['endpoints'], shared: SharedParts): readonly Member[] {
  const members: Member[] = []
  for (const { addresses, conditions, nodeName, zone } of found ?? []) {
    // The API gives addresses after the first no meaning.
    const host = addresses?.[0]
    const kind = memberKind(conditions ?? {})
    if (host === undefined || kind === undefined) continue
    members.push({ host, kind, metadata: shared.metadata(nodeName ?? undefined, zone ?? undefined) })
  }
  return members
}

type Conditions = NonNullable<NonNullable<Slice['endpoints']>[number]['conditions']>

/** By the rules of the API: a condition that is not known counts as ready, serving follows ready, terminating is false. */
function memberKind(conditions: Conditions): MemberKind | undefined {
  const isReady = conditions.ready ?? true
  if (isReady) return 'ready'
  const isServing = conditions.serving ?? isReady
  return isServing && conditions.terminating === true ? 'terminating' : undefined
}

function groupOf({ addresses, ports }: Subset, shared: SharedParts): EndpointGroup {
  return {
    ports: namedPorts(ports, shared),
    members: (addresses ?? []).map(({ ip, nodeName }) => ({
      host: ip,
      kind: 'ready',
      metadata: shared.metadata(nodeName ?? undefined, undefined),
    })),
  }
}

function namedPorts(
  ports: readonly z.output<typeof port>[] | null | undefined,
  shared: SharedParts,
): readonly NamedPort[] {
  const named: NamedPort[] = []
  for (const { name, port, protocol } of ports ?? []) {
    if (port !== undefined && port !== null && (protocol ?? 'TCP') === 'TCP') named.push({ name: name ?? '', port })
  }
  return shared.ports(named)
}

/** In ms since 1970. */
function timeFrom(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined
  // biome-ignore lint/style/noRestrictedGlobals: it reads a text, no clock.
  const time = Date.parse(timestamp)
  return Number.isFinite(time) ? time : undefined
}
