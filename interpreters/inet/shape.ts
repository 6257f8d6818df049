// Which labels of a path are host and port. Knows nothing of resolving them.
import type { Path } from '../../naming/path.ts'

/** `length` labels of the path were used. */
export interface Shape {
  readonly host: string
  readonly port: string
  readonly length: number
}

const maxInt = 2_147_483_647

/** `/host/port`, else `/port` on this machine; a port is any 32-bit integer here, as it is when namerd binds. */
export function shapeOfInet([first, second]: Path): Shape | undefined {
  if (first === undefined) return undefined
  if (second !== undefined && isInt(second)) return { host: first, port: second, length: 2 }
  return isInt(first) ? { host: '127.0.0.1', port: first, length: 1 } : undefined
}

/** `/port/host`; the port is looked at only when the endpoints are asked for. */
export function shapeOfRinet([port, host]: Path): Shape | undefined {
  return port === undefined || host === undefined ? undefined : { host, port, length: 2 }
}

function isInt(text: string): boolean {
  if (!/^[+-]?[0-9]+$/.test(text)) return false
  const value = Number(text)
  return value >= -maxInt - 1 && value <= maxInt
}
