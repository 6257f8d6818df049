// Which versions were heads: those that the chain of parents from the newest one reaches. A write that was cut off between
// its two steps leaves a version that never was one. Pure.

/** A version and the one it was made over. */
export interface Link {
  readonly version: number
  readonly meta: { readonly parent: number }
}

/**
 * Those of `links` that are `top` or were heads before it, newest first. Old ones may have been dropped: below a missing
 * parent the chain goes on with the next one there is.
 */
export function realVersions<T extends Link>(links: readonly T[], top: { readonly version: number }): readonly T[] {
  const falling = links.filter(({ version }) => version <= top.version).sort((a, b) => b.version - a.version)
  const real: T[] = []
  let next = top.version
  for (const link of falling) {
    if (link.version > next) continue
    real.push(link)
    next = link.meta.parent
  }
  return real
}
