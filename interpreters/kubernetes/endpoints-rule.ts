// How a name of io.l5d.k8s is computed from its slices and, for a port by number, its Service.
import type { ServiceRecord } from './decode-service.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import type { NameRule } from './followed-name.ts'
import { type EndpointsQuery, foundEndpoints, hostNamesOf, type TerminatingRule } from './found-endpoints.ts'
import type { LiveInput } from './live-input.ts'
import type { ServiceName, ServicePort } from './service-path.ts'
import type { TruncatedNames } from './truncated-names.ts'

export interface EndpointsRuleOptions {
  readonly name: ServiceName
  readonly records: LiveInput<EndpointRecord>
  /** For a port by number only. */
  readonly services: LiveInput<ServiceRecord> | undefined
  readonly terminating: TerminatingRule
  readonly truncated: TruncatedNames
}

export function endpointsRule(options: EndpointsRuleOptions): NameRule {
  const { name, records, services, terminating, truncated } = options
  const ask = (): EndpointsQuery | 'no such port' | undefined => {
    const port = namedPort(name.port, services)
    return typeof port === 'object' ? { portName: port.name, label: name.label, terminating } : port
  }
  return {
    hosts: () => {
      const query = ask()
      return typeof query === 'object' && records.objects !== undefined ? hostNamesOf(records.objects, query) : []
    },
    find: addressesOf => {
      const query = ask()
      if (query === 'no such port') return { exists: false, endpoints: [] }
      if (query === undefined || records.objects === undefined) return undefined
      return foundEndpoints(records.objects, query, addressesOf)
    },
    doubt: () => truncated.check(name, records.objects),
    triggeredAt: () => newest(records.objects),
  }
}

/** Undefined while the Service was not told. */
function namedPort(
  port: ServicePort,
  services: LiveInput<ServiceRecord> | undefined,
): { readonly name: string } | 'no such port' | undefined {
  if (port.kind === 'name') return port
  if (services?.objects === undefined) return undefined
  for (const service of services.objects.values()) {
    const found = service.ports.find(candidate => candidate.port === port.number)
    if (found !== undefined) return found
  }
  return 'no such port'
}

function newest(records: ReadonlyMap<string, EndpointRecord> | undefined): number | undefined {
  let newestAt: number | undefined
  for (const { triggeredAt } of records?.values() ?? []) {
    if (triggeredAt !== undefined && triggeredAt > (newestAt ?? 0)) newestAt = triggeredAt
  }
  return newestAt
}
