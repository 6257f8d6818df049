// From all the records of a service to what is found under one name: pure, and always the whole.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Found } from '../discovery.ts'
import type { EndpointRecord, Member } from './endpoint-record.ts'

/** `drop`: only ready endpoints count. `lastResort`: while none is ready, those that terminate and still serve do. */
export type TerminatingRule = 'drop' | 'lastResort'

export interface EndpointsQuery {
  readonly portName: string
  readonly label: string | undefined
  readonly terminating: TerminatingRule
}

/** The addresses of a host name, or of an address itself. */
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
  for (const { member, port } of selected(records, query)) {
    exists = true
    if (member === undefined) continue
    const into = member.kind === 'ready' ? ready : terminating
    for (const address of addressesOf(member.host)) addEndpoint(into, member, address, port)
  }
  if (ready.size > 0 || terminating.size === 0 || query.terminating === 'drop')
    return { exists, endpoints: sorted(ready) }
  return { exists, endpoints: sorted(terminating), metadata: { terminating: true } }
}

/** The hosts among the members of the name, addresses included. */
export function* hostsOf(records: ReadonlyMap<string, EndpointRecord>, query: EndpointsQuery): Iterable<string> {
  for (const { member } of selected(records, query)) if (member !== undefined) yield member.host
}

/** Each member with each port of the name; a port without members once. In the order of the records' keys. */
function* selected(
  records: ReadonlyMap<string, EndpointRecord>,
  { portName, label }: EndpointsQuery,
): Iterable<{ readonly member: Member | undefined; readonly port: number }> {
  for (const key of [...records.keys()].sort()) {
    const record = records.get(key)
    if (record === undefined || (label !== undefined && record.label !== label)) continue
    for (const { ports, members } of record.groups) {
      for (const { name, port } of ports) {
        if (name !== portName) continue
        yield { member: undefined, port }
        for (const member of members) yield { member, port }
      }
    }
  }
}

/** The first record's word holds where two describe one endpoint. */
function addEndpoint(into: Map<string, Endpoint>, { metadata }: Member, address: string, port: number): void {
  const key = `${address} ${port}`
  if (!into.has(key)) into.set(key, { address, port, weight: 1, ...(metadata !== undefined && { metadata }) })
}

function sorted(endpoints: ReadonlyMap<string, Endpoint>): readonly Endpoint[] {
  return [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint)
}
