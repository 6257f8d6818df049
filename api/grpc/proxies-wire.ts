// Proxies between the contract and the wire: instants here are ages there, so that two clocks need not agree. Knows no stream.
import {
  decodeProxiesPart,
  decodeProxiesQuery,
  encodeProxiesQuery,
  ProxiesPartWriter,
  type WireProxy,
} from '../../proto/proxies-messages.ts'
import { cursorOf, type ProxiesPart, type ProxiesQuery, type ProxyState } from '../proxies.ts'

/** A page is cut at about so many bytes; far below what one message may have. */
const maxPartBytes = 1024 * 1024
const protocols: readonly string[] = ['nameplane.v1', 'io.linkerd.mesh'] satisfies ProxyState['protocol'][]

export function encodeQuery({ namespace = '', isBehind = false, after = '', limit }: ProxiesQuery): Buffer {
  return encodeProxiesQuery({ namespace, isBehind, after, limit })
}

/** Throws a RangeError when the bytes are malformed or ask for nothing. */
export function decodeQuery(bytes: Uint8Array): ProxiesQuery {
  const { namespace, isBehind, after, limit } = decodeProxiesQuery(bytes)
  if (limit === 0) throw new RangeError('limit must be 1 or more')
  return { isBehind, limit, ...(namespace !== '' && { namespace }), ...(after !== '' && { after }) }
}

/** `now`: in ms since 1970. */
export function encodePart({ proxies, total, behind, next = '' }: ProxiesPart, now: number): Buffer {
  const writer = new ProxiesPartWriter()
  let last: ProxyState | undefined
  for (const proxy of proxies) {
    if (writer.length >= maxPartBytes) break
    writer.add(wireFromProxy(proxy, now))
    last = proxy
  }
  return writer.finish({ total, behind, next: last === undefined || last === proxies.at(-1) ? next : cursorOf(last) })
}

/** As the server called `server` says; throws a RangeError when the bytes are malformed. */
export function decodePart(bytes: Uint8Array, server: string, now: number): ProxiesPart {
  const { proxies, total, behind, next } = decodeProxiesPart(bytes)
  // What a newer server tells of protocols that are not known here is no reason to tell nothing of the others.
  const known = proxies.flatMap(proxy => (isKnownProtocol(proxy.protocol) ? [proxyFromWire(proxy, server, now)] : []))
  return { proxies: known, total, behind, ...(next !== '' && { next }) }
}

function wireFromProxy(proxy: ProxyState, now: number): WireProxy {
  const { server: _, since, version = '', namespaces, lastRefusal, ...same } = proxy
  return {
    ...same,
    version,
    connectedMs: ageOf(since, now),
    namespaces: namespaces.map(({ behindSince, ...told }) => ({
      ...told,
      behindMs: behindSince === undefined ? undefined : ageOf(behindSince, now),
    })),
    lastRefusal: lastRefusal && {
      name: lastRefusal.name,
      reason: lastRefusal.reason,
      ageMs: ageOf(lastRefusal.at, now),
    },
  }
}

function proxyFromWire(proxy: WireProxy, server: string, now: number): ProxyState {
  const { protocol, connectedMs, version, namespaces, lastRefusal, ...same } = proxy
  return {
    ...same,
    server,
    protocol: protocol as ProxyState['protocol'], // isKnownProtocol has looked
    ...(version !== '' && { version }),
    since: now - connectedMs,
    namespaces: namespaces.map(({ behindMs, ...told }) => ({
      ...told,
      ...(behindMs !== undefined && { behindSince: now - behindMs }),
    })),
    ...(lastRefusal && {
      lastRefusal: { name: lastRefusal.name, reason: lastRefusal.reason, at: now - lastRefusal.ageMs },
    }),
  }
}

function isKnownProtocol(protocol: string): boolean {
  return protocols.includes(protocol)
}

function ageOf(since: number, now: number): number {
  return Math.max(0, Math.round(now - since))
}
