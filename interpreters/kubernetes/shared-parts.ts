// One copy of what very many objects have in common: zones, nodes and port lists. Knows no wire format.
import type { Metadata } from '../../naming/replica-set.ts'
import type { NamedPort } from './endpoint-record.ts'

/** More distinct values than this and it begins anew; what was given stays good. */
const maxValues = 20_000

export class SharedParts {
  readonly #metadata = new Map<string, Metadata>()
  readonly #ports = new Map<string, readonly NamedPort[]>()

  /** Undefined when there is nothing to say. */
  metadata(nodeName: string | undefined, zone: string | undefined): Metadata | undefined {
    if (nodeName === undefined && zone === undefined) return undefined
    return shared(this.#metadata, `${nodeName ?? ''} ${zone ?? ''}`, () => ({
      ...(nodeName !== undefined && { nodeName }),
      ...(zone !== undefined && { zone }),
    }))
  }

  ports(ports: readonly NamedPort[]): readonly NamedPort[] {
    return shared(this.#ports, ports.map(({ name, port }) => `${name}:${port}`).join(' '), () => ports)
  }
}

function shared<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key)
  if (found !== undefined) return found
  if (known.size >= maxValues) known.clear()
  const made = make()
  known.set(key, made)
  return made
}
