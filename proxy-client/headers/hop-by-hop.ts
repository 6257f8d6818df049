// Which header fields end at this hop (RFC 9110, 7.6.1) and so are never forwarded. Knows none of our own headers.

import type { Fields } from '../http1/fields.ts'
import { Field } from '../http1/fields.ts'

/** Bits of the fields that concern one connection or frame one message; whoever writes the next message adds its own. */
export const hopByHop: number =
  Field.connection |
  Field.keepAlive |
  Field.proxyConnection |
  Field.te |
  Field.trailer |
  Field.transferEncoding |
  Field.contentLength |
  Field.upgrade |
  Field.expect |
  Field.proxyAuthenticate |
  Field.proxyAuthorization

/** Words that most messages have in Connection, as they are mostly spelled; they name no field. */
const plainConnection: ReadonlySet<string> = new Set([
  'close',
  'Close',
  'keep-alive',
  'Keep-Alive',
  'upgrade',
  'Upgrade',
])

/** What `Connection` may not take away: without it the message would mean something else, or come from elsewhere. */
const endToEnd: readonly string[] = ['host', 'content-length', 'via']

/** Lower-case names of the fields that `Connection` takes away; undefined for none, which is nearly always. */
export function namedByConnection(fields: Fields): ReadonlySet<string> | undefined {
  if ((fields.present & Field.connection) === 0) return undefined
  const values = fields.all('connection')
  if (values.length === 1 && plainConnection.has(values[0] ?? '')) return undefined
  const named = new Set(
    values
      .join(',')
      .toLowerCase()
      .split(',')
      .map(token => token.trim()),
  )
  for (const name of endToEnd) named.delete(name)
  return named
}
