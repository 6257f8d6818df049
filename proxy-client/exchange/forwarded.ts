// The value of a Forwarded field (RFC 7239): who asked and who was asked, by address or by a made-up label.
import { isIPv6 } from 'node:net'
import { z } from 'zod'
import type { Random } from '../../watch/clock.ts'
import type { Peer } from './inbound.ts'

const labeler = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['ip', 'ip:port', 'connectionRandom', 'requestRandom', 'router']) }),
  z.strictObject({
    kind: z.literal('static'),
    label: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'only letters, digits and . _ - may stand in a label'),
  }),
])

/** linkerd's `addForwardedHeader`: one labeler for this proxy, one for the client. A label that tells nothing is the default. */
export const addForwardedHeaderConfig = z.strictObject({
  by: labeler.prefault({ kind: 'requestRandom' }),
  for: labeler.prefault({ kind: 'requestRandom' }),
})

export type AddForwardedHeaderConfig = z.output<typeof addForwardedHeaderConfig>

export interface ForwardedOptions {
  readonly routerLabel: string
  readonly random: Random
}

/** Gives the value for one request of a client; called on every request. */
export type ForwardedValue = (peer: Peer) => string

/** `for=...;by=...`, quoted where RFC 7239 asks for it. */
export function createForwardedValue(config: AddForwardedHeaderConfig, options: ForwardedOptions): ForwardedValue {
  const by = createLabeler(config.by, options, peer => [peer.localAddress, peer.localPort])
  const client = createLabeler(config.for, options, peer => [peer.remoteAddress, peer.remotePort])
  return peer => `for=${client(peer)};by=${by(peer)}`
}

type AddressOf = (peer: Peer) => readonly [ip: string, port: number]

function createLabeler(
  config: AddForwardedHeaderConfig['by'],
  { routerLabel, random }: ForwardedOptions,
  addressOf: AddressOf,
): ForwardedValue {
  switch (config.kind) {
    case 'ip':
      return peer => formatNode(addressOf(peer)[0])
    case 'ip:port':
      return peer => formatNode(...addressOf(peer))
    case 'requestRandom':
      return () => randomLabel(random)
    case 'connectionRandom':
      return createConnectionLabeler(random)
    case 'router':
      return fixedLabel(routerLabel)
    case 'static':
      return fixedLabel(config.label)
  }
}

function fixedLabel(text: string): ForwardedValue {
  const label = `_${text.replace(/[^A-Za-z0-9._-]/g, '_')}`
  return () => label
}

/** A connection is known by its one `Peer`. */
function createConnectionLabeler(random: Random): ForwardedValue {
  const labels = new WeakMap<Peer, string>()
  return peer => {
    const known = labels.get(peer)
    if (known !== undefined) return known
    const label = randomLabel(random)
    labels.set(peer, label)
    return label
  }
}

function randomLabel(random: Random): string {
  const half = (): string => Math.floor(random() * 2 ** 32).toString(36)
  return `_${half()}${half()}`
}

/** IPv6 stands in brackets; brackets and ports ask for quotes. An IPv4 address in IPv6 form is shown as itself. */
function formatNode(address: string, port?: number): string {
  const ip = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  if (!isIPv6(ip)) return port === undefined ? ip : `"${ip}:${port}"`
  return port === undefined ? `"[${ip}]"` : `"[${ip}]:${port}"`
}
