// How an endpoint is written: for messages, URLs and as a key.
import type { Endpoint } from '../naming/replica-set.ts'

/** `address:port`, with brackets around an IPv6 address. */
export function showEndpoint({ address, port }: Pick<Endpoint, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
