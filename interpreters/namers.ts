// All namers as one: the configured ones in their order, then what is built in under /$/. Knows no dtab.
import { empty, fail, type NameTree, neg } from '../naming/name-tree.ts'
import { type Path, pathStartsWith } from '../naming/path.ts'
import type { Read } from '../watch/cell.ts'
import { failed, ok, type State } from '../watch/state.ts'
import type { Namer, NamerLeaf } from './namer.ts'
import { withNamerFailure } from './namer-failure.ts'
import { RecentIds } from './recent-ids.ts'
import { unknownNamer } from './unknown-namer.ts'

export interface Namers {
  /** One step: the first configured namer that does not say Neg, else the built-in one. A throw is a failure. */
  lookup(path: Path, read: Read): State<NameTree<NamerLeaf>>
  /** The id or an equal one given before, which many names then share. */
  sharedId(id: Path): Path
  /** The configured and built-in namers whose prefix the id has, in order. */
  under(id: Path): readonly Namer[]
  readonly all: readonly Namer[]
}

const okNeg: State<NameTree<NamerLeaf>> = ok(neg)
const okFail: State<NameTree<NamerLeaf>> = ok(fail)
const okEmpty: State<NameTree<NamerLeaf>> = ok(empty)

/** `builtIn` namers have the prefix `/$/<class>`. */
export function joinNamers(configured: readonly Namer[], builtIn: readonly Namer[]): Namers {
  const classes = new Map(builtIn.map(namer => [namer.prefix[1], namer]))
  const all = [...configured, ...builtIn]
  const ids = new RecentIds()
  return {
    all,
    lookup: (path, read) => {
      for (const namer of configured) {
        if (!pathStartsWith(path, namer.prefix)) continue
        const state = askNamer(namer, path, read)
        if (state.kind !== 'ok' || state.value.kind !== 'neg') return state
      }
      return path[0] === '$' ? lookupBuiltIn(classes, path, read) : okNeg
    },
    sharedId: id => ids.shared(id),
    under: id => all.filter(namer => pathStartsWith(id, namer.prefix)),
  }
}

function lookupBuiltIn(
  classes: ReadonlyMap<string | undefined, Namer>,
  path: Path,
  read: Read,
): State<NameTree<NamerLeaf>> {
  const className = path[1]
  if (className === undefined) return okNeg
  if (className === 'nil') return okEmpty
  if (className === 'fail') return okFail
  const namer = classes.get(className)
  return namer === undefined ? failed(unknownNamer(path)) : askNamer(namer, path, read)
}

function askNamer(namer: Namer, path: Path, read: Read): State<NameTree<NamerLeaf>> {
  try {
    return withNamerFailure(namer.lookup(path.slice(namer.prefix.length), read))
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)))
  }
}
