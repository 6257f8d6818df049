// The request target: clients that use us as their http_proxy send an absolute URI, which becomes path and Host.
import { isHeader, type RawHeaders } from '../headers/raw-headers.ts'

export interface NormalTarget {
  readonly target: string
  readonly headers: RawHeaders
}

const absoluteUri = /^http:\/\/([^/?#]+)([/?].*)?$/i

/** Origin form, with Host replaced by a URI's authority (RFC 9112, 3.2.2); undefined for targets that we cannot forward. */
export function normaliseTarget(target: string, headers: RawHeaders): NormalTarget | undefined {
  if (target.startsWith('/')) return { target, headers }
  const uri = absoluteUri.exec(target)
  const authority = uri?.[1]
  if (authority === undefined || authority.includes('@')) return undefined
  const rest = uri?.[2] ?? '/'
  return { target: rest.startsWith('?') ? `/${rest}` : rest, headers: withHost(headers, authority) }
}

function withHost(headers: RawHeaders, host: string): RawHeaders {
  const replaced = ['Host', host]
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isHeader(headers[i], 'host')) replaced.push(headers[i] ?? '', headers[i + 1] ?? '')
  }
  return replaced
}
