// The namers /$/inet, /$/fixedinet and /$/io.buoyant.rinet: a host and a port in the path itself. Knows no dtab.
import { NamingError } from '../../naming/errors.ts'
import { type NameTree, neg } from '../../naming/name-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import type { HostAddresses } from '../../runtime/hosts/host-cells.ts'
import { createSystemHostCells, type SystemHostCellsOptions } from '../../runtime/hosts/system-host-cells.ts'
import type { Cell, Kernel } from '../../watch/cell.ts'
import { failed, ok, type State } from '../../watch/state.ts'
import type { Namer, NamerLeaf } from '../namer.ts'
import { unknownNamer } from '../unknown-namer.ts'
import { type Shape, shapeOfInet, shapeOfRinet } from './shape.ts'

interface Flavour {
  readonly className: string
  readonly shapeOf: (rest: Path) => Shape | undefined
  /** What a path of another shape means: a class that cannot be, or just no name. */
  readonly otherShape: 'unknown' | 'neg'
  readonly isFixed: boolean
}

const flavours: readonly Flavour[] = [
  { className: 'inet', shapeOf: shapeOfInet, otherShape: 'unknown', isFixed: false },
  { className: 'fixedinet', shapeOf: shapeOfInet, otherShape: 'unknown', isFixed: true },
  { className: 'io.buoyant.rinet', shapeOf: shapeOfRinet, otherShape: 'neg', isFixed: false },
]

const maxPort = 65_535

/** The three namers; they share what they resolve. */
export function createInetNamers(options: SystemHostCellsOptions): readonly Namer[] {
  const { kernel } = options
  const hosts = createSystemHostCells(options)
  return flavours.map(flavour => {
    const hostCell = flavour.isFixed ? hosts.fixed : hosts.live
    const pool = kernel.pool<Path, ReplicaSet>(id => openReplicas(kernel, flavour, id, hostCell), showPath)
    return {
      prefix: ['$', flavour.className],
      lookup: rest => lookup(flavour, rest),
      replicas: id => pool.at(shortened(flavour, id)),
      close: () => hosts.close(),
    }
  })
}

function lookup(flavour: Flavour, rest: Path): State<NameTree<NamerLeaf>> {
  const shape = flavour.shapeOf(rest)
  if (shape !== undefined) {
    const id = ['$', flavour.className, ...rest.slice(0, shape.length)]
    return ok({ kind: 'leaf', value: { kind: 'bound', id, residual: rest.slice(shape.length) } })
  }
  return flavour.otherShape === 'neg' ? ok(neg) : failed(unknownNamer(['$', flavour.className, ...rest]))
}

/** The id without labels that mean nothing to this namer. */
function shortened(flavour: Flavour, id: Path): Path {
  const shape = flavour.shapeOf(id.slice(2))
  return shape === undefined ? id : id.slice(0, 2 + shape.length)
}

function openReplicas(
  kernel: Kernel,
  flavour: Flavour,
  id: Path,
  hostCell: (host: string) => Cell<HostAddresses>,
): Cell<ReplicaSet> {
  const name = `replicas ${showPath(id)}`
  const shape = flavour.shapeOf(id.slice(2))
  if (shape === undefined) {
    const state: State<ReplicaSet> = flavour.otherShape === 'neg' ? ok(noSuchReplicas) : failed(unknownNamer(id))
    return kernel.derive(name, () => state)
  }
  const port = Number(shape.port)
  if (!Number.isInteger(port) || port < 1 || port > maxPort)
    return kernel.derive(name, () => failed(badPort(id, shape)))
  return kernel.derive(name, read => {
    const host = read(hostCell(shape.host))
    return host.kind === 'ok' ? ok(replicasAt(host.value, port)) : host
  })
}

function replicasAt(host: HostAddresses, port: number): ReplicaSet {
  if (host === 'unknown') return noSuchReplicas
  return { kind: 'bound', endpoints: host.map(address => ({ address, port, weight: 1 })) }
}

function badPort(id: Path, shape: Shape): NamingError {
  return new NamingError('bad-path', `${showPath(id)}: ${shape.port} is not a port (1 to ${maxPort})`)
}
