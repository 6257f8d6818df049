// Several paths in one array, for those who keep very many: a path that has an array of its own costs 48 bytes more.
import type { Label, Path } from '../naming/path.ts'

/** One path or more, end to end; an empty label, which no path has, stands between two. */
export type PathList = readonly Label[]

const between: Label = ''

/** The paths from `start` on; undefined when there are none. One path alone is its own list. */
export function joinPaths(paths: readonly Path[], start: number): PathList | undefined {
  const first = paths[start]
  if (first === undefined || paths.length === start + 1) return first
  let length = first.length
  for (let i = start + 1; i < paths.length; i++) length += 1 + (paths[i]?.length ?? 0)
  const list = new Array<Label>(length) // of exact size
  let at = 0
  for (let i = start; i < paths.length; i++) {
    if (i > start) list[at++] = between
    for (const label of paths[i] ?? []) list[at++] = label
  }
  return list
}

/** Whether it holds for one of the paths. */
export function somePath(list: PathList, holds: (path: Path) => boolean): boolean {
  let start = 0
  for (;;) {
    const end = list.indexOf(between, start)
    if (end < 0) return holds(start === 0 ? list : list.slice(start))
    if (holds(list.slice(start, end))) return true
    start = end + 1
  }
}
