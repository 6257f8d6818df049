// The fields that tell an upstream where a request was led. Made once per destination, not per request.
import { type Path, showPath } from '../../naming/path.ts'

interface DestinationNames {
  /** Text of the logical name. */
  readonly service: string
  /** Text of the bound id. */
  readonly client: string
  /** What the bound id left of the name. */
  readonly residual: Path
  /** Exact text of the request's own dtab, empty for none; the next hop goes by it too. */
  readonly dtab: string
}

/** Whole lines. Texts of paths and dtabs are plain ASCII of one line. */
export function destinationLines({ service, client, residual, dtab }: DestinationNames): string {
  const rest = residual.length === 0 ? '' : `l5d-dst-residual: ${showPath(residual)}\r\n`
  const context = dtab === '' ? '' : `l5d-ctx-dtab: ${dtab}\r\n`
  return `l5d-dst-service: ${service}\r\nl5d-dst-client: ${client}\r\n${rest}${context}`
}
