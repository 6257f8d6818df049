// io.l5d.header.token: the value of one header is the last label of the name. The port of a Host stays, as in linkerd.
import { z } from 'zod'
import type { Path } from '../../naming/path.ts'
import { headerValues } from '../headers/raw-headers.ts'
import type { Identification, Identifier } from './identifier.ts'

/** A header field's name, as RFC 9110 allows it. */
const fieldName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not a header name')

export const headerTokenConfig = z.strictObject({
  kind: z.literal('io.l5d.header.token'),
  header: fieldName.default('Host'),
})

/** RFC 3986's host, and a port. */
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::[0-9]{0,5})?$/

/** Names of a request are `prefix` and the header's value; Host is checked, and lower-cased as hosts have no case. */
export function createHeaderToken(header: string, prefix: Path): Identifier {
  const lowerName = header.toLowerCase()
  const read = lowerName === 'host' ? readHost : readToken
  return request => {
    const values = headerValues(request.headers, lowerName)
    const [value] = values
    if (value === undefined || value === '') return unidentified(`the request has no ${header} header`)
    if (values.length > 1) return unidentified(`the request has ${values.length} ${header} headers`)
    const token = read(value)
    if (token === undefined) return unidentified(`the ${header} header is not a host name with an optional port`)
    return { kind: 'identified', path: [...prefix, token] }
  }
}

function readHost(value: string): string | undefined {
  return hostAndPort.test(value) ? value.toLowerCase() : undefined
}

function readToken(value: string): string {
  return value
}

function unidentified(reason: string): Identification {
  return { kind: 'unidentified', reason }
}
