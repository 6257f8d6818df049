// Tells whether an address can be reached from this machine alone.
import { isIPv6 } from 'node:net'

export function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host) || (isIPv6(host) && /^(0*:)*0*1$/.test(host))
}
