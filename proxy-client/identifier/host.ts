// Hosts as they may stand in a name. Knows no header.

/** RFC 3986's host, and a port. */
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{0,5})?$/

/** In lower case, as hosts have no case, and with its port, as in linkerd; undefined for what is no host. */
export function readHost(value: string): string | undefined {
  return hostAndPort.test(value) ? value.toLowerCase() : undefined
}
