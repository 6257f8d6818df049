// `host:port` in one label becomes two, in either order.
import type { Path } from '../../naming/path.ts'
import { pathOf, type Rewrite, splitAs } from './rewrite.ts'

const portName = /^[a-z0-9][-a-z0-9]*$/
const maxPortLength = 63

/** `/<pfx>/<host:port>/rest` is `/pfx/host/port/rest`. */
export const hostportPfx: Rewrite = rest => split(rest, (host, port) => [host, port])

/** `/<pfx>/<host:port>/rest` is `/pfx/port/host/rest`. */
export const porthostPfx: Rewrite = rest => split(rest, (host, port) => [port, host])

function split([prefix, hostport, ...rest]: Path, order: (host: string, port: string) => string[]): Path | undefined {
  if (prefix === undefined || hostport === undefined) return undefined
  const [host, port, ...more] = splitAs(hostport, ':')
  if (host === undefined || port === undefined || more.length > 0) return undefined
  if (!portName.test(port) || port.length > maxPortLength) return undefined
  return pathOf([prefix, ...order(host, port), ...rest])
}
