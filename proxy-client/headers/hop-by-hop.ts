// Which header fields end at this hop (RFC 9110, 7.6.1) and so are never forwarded. Knows none of our own headers.
import { headerValues, type RawHeaders } from './raw-headers.ts'

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What `Connection` may not take away: without it the message would mean something else. */
const endToEnd: ReadonlySet<string> = new Set(['host', 'content-length'])

/** `close` and `keep-alive` are the only words that most messages have there; they name no field of interest. */
const plainConnection = /^(?:close|keep-alive)$/i

/** Tells of a lower-case name whether it stays behind, fields that `Connection` names included. */
export function hopByHopOf(headers: RawHeaders): (lowerName: string) => boolean {
  const values = headerValues(headers, 'connection')
  if (values.every(value => plainConnection.test(value))) return isHopByHop
  const named = new Set(
    values
      .join(',')
      .toLowerCase()
      .split(',')
      .map(token => token.trim()),
  )
  return lowerName => hopByHop.has(lowerName) || (named.has(lowerName) && !endToEnd.has(lowerName))
}

function isHopByHop(lowerName: string): boolean {
  return hopByHop.has(lowerName)
}
