// From all the records of a service to what is found under one name: pure, and always the whole.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Found } from '../discovery.ts'
import type { EndpointGroup, EndpointRecord, Member } from './endpoint-record.ts'

/** `drop`: only ready endpoints count. `lastResort`: while none is ready, those that terminate and still serve do. */
export type TerminatingRule = 'drop' | 'lastResort'

export interface EndpointsQuery {
  readonly portName: string
  readonly label: string | undefined
  readonly terminating: TerminatingRule
}

/** The addresses of a host name; an address itself is its own. */
export type AddressesOf = (host: string) => readonly string[]

/** A port that no record has means that there is no such name; endpoints are sorted and each is there once. */
export function foundEndpoints(
  records: ReadonlyMap<string, EndpointRecord>,
  query: EndpointsQuery,
  addressesOf: AddressesOf,
): Found {
  const ready = new Map<string, Endpoint>()
  const terminating = new Map<string, Endpoint>()
  let exists = false
  for (const { group, port } of selected(records, query)) {
    exists = true
    for (const member of group.members) {
      const into = member.kind === 'ready' ? ready : terminating
      if (group.hasHostNames) for (const address of addressesOf(member.host)) add(into, member, address, port)
      else add(into, member, member.host, port)
    }
  }
  if (ready.size > 0 || terminating.size === 0 || query.terminating === 'drop')
    return { exists, endpoints: sorted(ready) }
  return { exists, endpoints: sorted(terminating), metadata: { terminating: true } }
}

/** The host names among the members of the name. */
export function* hostNamesOf(records: ReadonlyMap<string, EndpointRecord>, query: EndpointsQuery): Iterable<string> {
  for (const { group } of selected(records, query)) {
    if (group.hasHostNames) for (const member of group.members) yield member.host
  }
}

/** Each group that has the name's port, with that port, in the order of the records' keys. */
function* selected(
  records: ReadonlyMap<string, EndpointRecord>,
  { portName, label }: EndpointsQuery,
): Iterable<{ readonly group: EndpointGroup; readonly port: number }> {
  for (const key of [...records.keys()].sort()) {
    const record = records.get(key)
    if (record === undefined || (label !== undefined && record.label !== label)) continue
    for (const group of record.groups)
      for (const { name, port } of group.ports) if (name === portName) yield { group, port }
  }
}

/** The first record's word holds where two describe one endpoint. */
function add(into: Map<string, Endpoint>, { metadata }: Member, address: string, port: number): void {
  const key = `${address} ${port}`
  if (!into.has(key)) into.set(key, { address, port, weight: 1, ...(metadata !== undefined && { metadata }) })
}

function sorted(endpoints: ReadonlyMap<string, Endpoint>): readonly Endpoint[] {
  return [...endpoints.keys()].sort().flatMap(key => endpoints.get(key) ?? [])
}
