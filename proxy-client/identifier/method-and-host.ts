// io.l5d.methodAndHost: the name is the version, the method and the host, `/1.1/GET/web`, and the path where asked for.
import { z } from 'zod'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { readHost } from './host.ts'
import { type IdentifiableRequest, type Identification, type Identifier, unidentified } from './identifier.ts'
import { Names } from './names.ts'

export const methodAndHostConfig = z.strictObject({
  kind: z.literal('io.l5d.methodAndHost'),
  /** Whether the request's path, without its query, follows the host. */
  httpUriInDst: z.boolean().default(false),
})

/** An HTTP/1.0 request is named without a host: `/1.0/GET`. */
export function createMethodAndHost(withUri: boolean, prefix: Path): Identifier {
  const names = new Names(prefix, readLabels)
  const noHost = unidentified('the request has no Host header')
  return (request): Identification => {
    const { head, host = '', method } = request
    if (head.minor === 0) return names.at(`1.0\n${method}\n\n${uriOf(request, withUri)}`)
    return host === '' ? noHost : names.at(`1.1\n${method}\n${host}\n${uriOf(request, withUri)}`)
  }
}

function uriOf({ target }: IdentifiableRequest, withUri: boolean): string {
  if (!withUri || !target.startsWith('/')) return ''
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** Of version, method, host and path, each on a line as none can hold a line end; the last two may be empty. */
function readLabels(token: string): Path | string {
  const [version = '', method = '', host = '', uri = ''] = token.split('\n')
  const label = host === '' ? [] : readHost(host)
  if (label === undefined) return 'the Host header is not a host name with an optional port'
  const parsed = parsePath(uri === '' ? '/' : uri)
  if (!parsed.ok) return `the request's path cannot be a part of a name: ${parsed.error.message}`
  return [version, method].concat(label, parsed.value)
}
