// Where a request goes and what it shows of us. Knows nothing of where that was read.
import { createHash } from 'node:crypto'

export interface TlsIdentity {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** All that a request needs beside its path. */
export interface Target {
  /** With the path that goes before every request's, `/` when there is none. */
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** Absent for plain HTTP. */
  readonly tls?: TlsIdentity
  /** Targets with the same one may share connections. */
  readonly connectionKey: string
}

/** Plain HTTP. */
export function plainTarget(url: URL, headers: Record<string, string>): Target {
  return { url, headers, connectionKey: url.origin }
}

/** HTTPS. */
export function tlsTarget(url: URL, headers: Record<string, string>, tls: TlsIdentity): Target {
  const { ca, cert, key, servername, rejectUnauthorized } = tls
  const hash = createHash('sha256')
  for (const part of [url.origin, servername, String(rejectUnauthorized), ca, cert, key])
    hash.update(part ?? '').update('\0')
  return { url, headers, tls, connectionKey: hash.digest('hex') }
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
