// Ports as slices, Endpoints and Services list them.
import type { NamedPort } from './endpoint-record.ts'
import { integerAt, objectFrom, textAt } from './json-fields.ts'

/** Those of TCP, which is also what a port without a protocol is. One without a number stands for no port that could be asked for. */
export function tcpPorts(ports: readonly unknown[]): readonly NamedPort[] {
  const named: NamedPort[] = []
  for (const item of ports) {
    const fields = objectFrom(item, 'a port')
    const port = integerAt(fields, 'port')
    if (port === undefined || (textAt(fields, 'protocol') ?? 'TCP') !== 'TCP') continue
    named.push({ name: textAt(fields, 'name') ?? '', port })
  }
  return named
}
