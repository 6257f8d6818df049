// Which leaves a tree could choose, without any lookup. Weights play no part.
import { foldNameTree } from './fold.ts'
import type { NameTree } from './name-tree.ts'
import { type Path, showPath } from './path.ts'

/** The chosen leaves by their text, or why there are none. */
type Choice = ReadonlyMap<string, Path> | 'neg' | 'fail'

const nothing: Choice = new Map()

/** The distinct leaves that are left when each alternative has picked its first non-neg child; undefined for none at all. */
export function evalNameTree(tree: NameTree<Path>): readonly Path[] | undefined {
  const choice = foldNameTree<Path, Choice>(tree, {
    leaf: path => new Map([[showPath(path), path]]),
    mark: kind => (kind === 'empty' ? nothing : kind),
    alt: choices => choices.find(each => each !== 'neg') ?? 'neg',
    union: evalUnion,
  })
  return typeof choice === 'string' ? undefined : [...choice.values()]
}

function evalUnion(choices: readonly Choice[]): Choice {
  const present = choices.filter(choice => typeof choice !== 'string')
  return present.length === 0 ? 'neg' : new Map(present.flatMap(choice => [...choice]))
}
