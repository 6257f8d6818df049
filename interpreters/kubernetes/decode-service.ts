// From Service objects, as the API server sends them, to the fields that are used.
import { z } from 'zod'
import type { NamedPort } from './endpoint-record.ts'

/** What is kept of a Service. */
export interface ServiceRecord {
  readonly service: string
  /** The value of the label that the namer selects by, lower case. */
  readonly label?: string
  /** The Service's own ports, TCP only; a port without a name has the name ''. */
  readonly ports: readonly NamedPort[]
  /** Addresses and host names of its load balancer. */
  readonly ingress?: readonly string[]
}

const text = z.string().nullish()

const service = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).nullish() }),
  spec: z.object({ ports: z.array(z.object({ name: text, port: z.int(), protocol: text })).nullish() }).nullish(),
  status: z
    .object({
      loadBalancer: z.object({ ingress: z.array(z.object({ ip: text, hostname: text })).nullish() }).nullish(),
    })
    .nullish(),
})

type Service = z.output<typeof service>

/** Only the ports; throws when it is no Service. */
export function decodeService(object: unknown): ServiceRecord {
  const parsed = service.parse(object)
  return { service: parsed.metadata.name, ports: portsOf(parsed) }
}

/** With the load balancer, and the value of the label when there is one; throws when it is no Service. */
export function decodeExternalService(object: unknown, labelKey?: string): ServiceRecord {
  const parsed = service.parse(object)
  const label = labelKey === undefined ? undefined : parsed.metadata.labels?.[labelKey]?.toLowerCase()
  return {
    service: parsed.metadata.name,
    ports: portsOf(parsed),
    ingress: (parsed.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []),
    ...(label !== undefined && { label }),
  }
}

function portsOf({ spec }: Service): readonly NamedPort[] {
  return (spec?.ports ?? [])
    .filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP')
    .map(({ name, port }) => ({ name: name ?? '', port }))
}
