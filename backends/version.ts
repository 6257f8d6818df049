// Versions as programs print them, and their order. Knows nothing of which program.

/**
 * The first plain release `1.2.3` (also `v1.2.3`) in what a program prints. One with a suffix, such as `1.2.3-dev` or
 * `1.2.3+ent`, is another build and is passed over.
 */
export function findVersion(printed: string): string | undefined {
  return /(?<![\w.])v?(\d+\.\d+\.\d+)(?![\w.+-])/.exec(printed)?.[1]
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map(version => version.split('.').map(Number))
  for (let part = 0; part < Math.max(left?.length ?? 0, right?.length ?? 0); part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
