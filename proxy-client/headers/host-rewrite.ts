// Upstreams that must be asked under a host of their own: the way back of what they say of it. Knows no messages.

/** Where a namer gives an id the metadata `authority`, that is the Host upstream; `host` is what the client asked for, if any. */
export interface HostRewrite {
  readonly authority: string
  readonly host: string
}

const absoluteUri = /^(https?:\/\/)([^/?#]*)(.*)$/i
const refresh = /^(\s*\d+\s*[;,]\s*url\s*=\s*)(.*)$/i

/** The value of a Location for the client: a URI at the authority is one at the host. */
export function locationBack(value: string, { authority, host }: HostRewrite): string {
  const [, scheme = '', at, rest = ''] = absoluteUri.exec(value) ?? []
  return host !== '' && at?.toLowerCase() === authority.toLowerCase() ? `${scheme}${host}${rest}` : value
}

/** The value of a Refresh, `5; url=http://...`, as for Location. */
export function refreshBack(value: string, rewrite: HostRewrite): string {
  const [, before, uri = ''] = refresh.exec(value) ?? []
  return before === undefined ? value : `${before}${locationBack(uri, rewrite)}`
}
