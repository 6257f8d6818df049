// Makes the header fields that go out from those that came in: hop-by-hop fields and our own go, Via and our own come.
import { hopByHopOf } from './hop-by-hop.ts'
import type { RawHeaders } from './raw-headers.ts'

/** How this proxy names itself in Via. */
const pseudonym = 'nameplane'

/** Our request fields: whatever a client sent under these names is replaced by what this hop found. */
const replaced: ReadonlySet<string> = new Set([
  'l5d-ctx-dtab',
  'l5d-dst-client',
  'l5d-dst-residual',
  'l5d-dst-service',
  'l5d-dtab',
  'l5d-reqid',
])

/** Request fields to send on; `added` are ours, in wire form. */
export function forwardRequestHeaders(headers: RawHeaders, httpVersion: string, added: RawHeaders): string[] {
  const out = forwardWithVia(headers, httpVersion, replaced)
  for (const part of added) out.push(part)
  return out
}

/** Response fields to send back. */
export function forwardResponseHeaders(headers: RawHeaders): string[] {
  return forwardWithVia(headers, '1.1', nothing)
}

const nothing: ReadonlySet<string> = new Set()

/** What a trailer must not say, for it would change how the message or the next one is read (RFC 9110, 6.5.1). */
const notInTrailers: ReadonlySet<string> = new Set(['connection', 'content-length', 'host', 'transfer-encoding'])

/** Fields after a body to send back. */
export function forwardTrailers(trailers: RawHeaders): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] ?? ''
    if (!notInTrailers.has(name.toLowerCase())) out.push(name, trailers[i + 1] ?? '')
  }
  return out
}

function forwardWithVia(headers: RawHeaders, httpVersion: string, dropped: ReadonlySet<string>): string[] {
  const staysBehind = hopByHopOf(headers)
  const out: string[] = []
  let via = ''
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    const lowerName = name.toLowerCase()
    if (lowerName === 'via') via += `${value}, `
    else if (!staysBehind(lowerName) && !dropped.has(lowerName)) out.push(name, value)
  }
  out.push('Via', `${via}${httpVersion} ${pseudonym}`)
  return out
}
