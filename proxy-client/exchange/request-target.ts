// The request target (RFC 9112, 3.2): clients that use us as their http_proxy send an absolute URI. Knows no routing.

export interface NormalTarget {
  /** Origin form; `*` for OPTIONS; the authority for CONNECT. */
  readonly target: string
  /** Of an absolute URI or a CONNECT: it stands in for Host (RFC 9112, 3.2.2). */
  readonly authority: string | undefined
}

const absoluteUri = /^http:\/\/([^/?#@]+)([/?].*)?$/i
const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[^:@[\]/?#]+):[0-9]{1,5}$/

/** Undefined for a target that cannot be forwarded; a URI with credentials is one. Origin form passes as it is. */
export function normaliseTarget(method: string, target: string): NormalTarget | undefined {
  if (method === 'CONNECT') return hostAndPort.test(target) ? { target, authority: target } : undefined
  if (target.startsWith('/')) return { target, authority: undefined }
  if (target === '*') return method === 'OPTIONS' ? { target, authority: undefined } : undefined
  const uri = absoluteUri.exec(target)
  return uri?.[1] === undefined ? undefined : { target: originForm(method, uri[2]), authority: uri[1] }
}

/** An absolute OPTIONS without a path asks about the server as a whole (RFC 9112, 3.2.4). */
function originForm(method: string, rest: string | undefined): string {
  if (rest === undefined) return method === 'OPTIONS' ? '*' : '/'
  return rest.startsWith('?') ? `/${rest}` : rest
}
