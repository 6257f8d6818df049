// From Service objects, as the API server sends them, to the fields that are used.
import type { NamedPort } from './endpoint-record.ts'
import { listAt, nameOf, objectAt, objectFrom, textAt } from './json-fields.ts'
import { tcpPorts } from './named-ports.ts'

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

/** Only the ports; throws when it is no Service. */
export function decodeService(object: unknown): ServiceRecord {
  const service = objectFrom(object, 'a Service')
  return { service: nameOf(objectAt(service, 'metadata')), ports: tcpPorts(listAt(objectAt(service, 'spec'), 'ports')) }
}

/** With the load balancer, and the value of the label when there is one; throws when it is no Service. */
export function decodeExternalService(object: unknown, labelKey?: string): ServiceRecord {
  const service = objectFrom(object, 'a Service')
  const labels = objectAt(objectAt(service, 'metadata'), 'labels')
  const label = labelKey === undefined ? undefined : textAt(labels, labelKey)?.toLowerCase()
  const ingress: string[] = []
  for (const item of listAt(objectAt(objectAt(service, 'status'), 'loadBalancer'), 'ingress')) {
    const fields = objectFrom(item, 'an ingress')
    const host = textAt(fields, 'ip') ?? textAt(fields, 'hostname')
    if (host !== undefined) ingress.push(host)
  }
  return { ...decodeService(object), ingress, ...(label !== undefined && { label }) }
}
