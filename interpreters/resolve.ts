// From a bound id to its endpoints: which namer answers for it. Knows no dtab.
import { NamingError } from '../naming/errors.ts'
import { type Path, showPath } from '../naming/path.ts'
import { noSuchReplicas, type ReplicaSet } from '../naming/replica-set.ts'
import type { Cell, Kernel } from '../watch/cell.ts'
import { failed, ok, type State } from '../watch/state.ts'
import type { Namer } from './namer.ts'
import { withNamerFailure } from './namer-failure.ts'
import type { Namers } from './namers.ts'
import { unknownNamer } from './unknown-namer.ts'

const okNone: State<ReplicaSet> = ok({ kind: 'bound', endpoints: [] })
const okNeg: State<ReplicaSet> = ok(noSuchReplicas)

/** Gives the cell of an id; equal ids share one while it is watched, for namers share theirs. */
export function createReplicaCells(kernel: Kernel, namers: Namers): (id: Path) => Cell<ReplicaSet> {
  const pool = kernel.pool<Path, ReplicaSet>(id => openReplicas(kernel, namers, id), showPath)
  return id => pool.at(cutTransformers(id))
}

/** `/%/io.l5d.port/80/#/io.l5d.fs/web` is `/#/io.l5d.fs/web` here: transformers stand before the first `#` or `$`. */
function cutTransformers(id: Path): Path {
  if (id[0] !== '%') return id
  const start = id.findIndex(label => label === '#' || label === '$')
  return start < 0 ? [] : id.slice(start)
}

function openReplicas(kernel: Kernel, namers: Namers, id: Path): Cell<ReplicaSet> {
  const name = `replicas ${showPath(id)}`
  const answering = namers.under(id)
  const [only] = answering
  if (only === undefined) return kernel.derive(name, () => withoutNamer(id))
  return kernel.derive(name, read => firstKnown(answering, cell => read(cell), id))
}

/** Namers under one prefix are asked in order until one knows the id. */
function firstKnown(
  answering: readonly Namer[],
  read: (cell: Cell<ReplicaSet>) => State<ReplicaSet>,
  id: Path,
): State<ReplicaSet> {
  for (const namer of answering) {
    const state = withNamerFailure(read(namer.replicas(id)))
    if (state.kind !== 'ok' || state.value.kind !== 'neg') return state
  }
  return okNeg
}

function withoutNamer(id: Path): State<ReplicaSet> {
  if (id[0] !== '$' || id[1] === undefined) return okNeg
  if (id[1] === 'nil') return okNone
  if (id[1] === 'fail') return failed(new NamingError('namer-unavailable', `${showPath(id)} refuses by design`))
  return failed(unknownNamer(id))
}
