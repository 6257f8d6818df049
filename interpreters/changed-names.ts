// Which names a new dtab version can have changed: those that looked up a path under a changed prefix.
import { changedPrefixes, type PrefixSet } from '../naming/dtab-diff.ts'
import type { Path } from '../naming/path.ts'
import type { CompiledDtab } from './compile-dtab.ts'
import { maxPathsKept } from './evaluation-limits.ts'

const nothing: PrefixSet = { isEmpty: true, matches: () => false }

/** Compares two versions once, however many names ask. */
export class ChangedNames {
  readonly #pairs = new WeakMap<CompiledDtab, WeakMap<CompiledDtab, PrefixSet>>()

  /** Whether a name that looked up `paths` may be bound otherwise after the change. */
  concerns(paths: readonly Path[], before: CompiledDtab, after: CompiledDtab): boolean {
    const changed = this.between(before, after)
    if (changed.isEmpty) return false
    return paths.length > maxPathsKept || paths.some(path => changed.matches(path))
  }

  /** The paths that may be looked up otherwise after the change. */
  between(before: CompiledDtab, after: CompiledDtab): PrefixSet {
    if (before === after) return nothing
    let pairs = this.#pairs.get(before)
    if (pairs === undefined) {
      pairs = new WeakMap()
      this.#pairs.set(before, pairs)
    }
    let changed = pairs.get(after)
    if (changed === undefined) {
      changed = changedPrefixes(before.dtab, after.dtab)
      pairs.set(after, changed)
    }
    return changed
  }
}
