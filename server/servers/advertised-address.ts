// Where the other servers reach this one: as configured, else where it listens, else the first address of the machine.
import { isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

export interface AdvertisedAddressOptions {
  /** From the configuration. */
  readonly advertise?: { readonly ip: string; readonly port?: number | undefined } | undefined
  /** The gRPC listener; undefined when there is none. */
  readonly listener: { readonly host: string; readonly port: number } | undefined
  /** The environment's POD_IP. */
  readonly podIp: string | undefined
  readonly interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>
}

/** `host:port`; undefined for a server without a gRPC interface that is not told to advertise one. */
export function advertisedAddress(options: AdvertisedAddressOptions): string | undefined {
  const { advertise, listener, podIp, interfaces } = options
  const port = advertise?.port ?? listener?.port
  if (port === undefined) return undefined
  const host = advertise?.ip ?? hostOf(listener?.host, podIp, interfaces)
  return host === undefined ? undefined : `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

function hostOf(
  listens: string | undefined,
  podIp: string | undefined,
  interfaces: AdvertisedAddressOptions['interfaces'],
): string | undefined {
  if (listens !== undefined && !isWildcard(listens)) return listens
  if (podIp !== undefined && podIp !== '') return podIp
  const outer = Object.values(interfaces)
    .flatMap(each => each ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  const found = outer.find(({ family }) => family === 'IPv4') ?? outer[0]
  return found?.address ?? '127.0.0.1'
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (isIPv6(host) && /^[0:]+$/.test(host))
}
