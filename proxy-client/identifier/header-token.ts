// io.l5d.header.token: the value of one header is the last label of the name. The port of a Host stays, as in linkerd.
import { z } from 'zod'
import type { Path } from '../../naming/path.ts'
import { headerName } from './header-name.ts'
import { readHost } from './host.ts'
import { type Identifier, unidentified } from './identifier.ts'
import { Names } from './names.ts'
import { oneValue } from './one-value.ts'

export const headerTokenConfig = z.strictObject({
  kind: z.literal('io.l5d.header.token'),
  header: headerName.default('Host'),
})

/** Names of a request are `prefix` and the header's value; Host is checked, and lower-cased as hosts have no case. */
export function createHeaderToken(header: string, prefix: Path): Identifier {
  const lowerName = header.toLowerCase()
  return lowerName === 'host' ? createHostToken(prefix) : createToken(header, lowerName, prefix)
}

function createHostToken(prefix: Path): Identifier {
  const names = new Names(prefix, host => {
    const label = readHost(host)
    return label === undefined ? 'the Host header is not a host name with an optional port' : [label]
  })
  const none = unidentified('the request has no Host header')
  return ({ host }) => (host === undefined || host === '' ? none : names.at(host))
}

function createToken(header: string, lowerName: string, prefix: Path): Identifier {
  const names = new Names(prefix, value => [value])
  return ({ head }) => {
    const value = oneValue(head.fields, lowerName, header)
    return typeof value === 'string' ? names.at(value) : value
  }
}
