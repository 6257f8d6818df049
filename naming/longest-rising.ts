// The longest rising subsequence, by patience sorting. Pure; knows nothing of naming.

/** The most items, in their order, whose keys strictly rise. Takes n log n steps. */
export function longestRising<T>(items: readonly T[], keyOf: (item: T) => number): readonly T[] {
  const keys = items.map(keyOf)
  /** Per length, the index of the lowest key that ends a rise of that length. */
  const ends: number[] = []
  const previous = new Int32Array(items.length)
  for (const [index, key] of keys.entries()) {
    const length = countBelow(ends, keys, key)
    previous[index] = length === 0 ? -1 : (ends[length - 1] ?? -1)
    ends[length] = index
  }
  const longest: T[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const item = items[index]
    if (item !== undefined) longest.push(item)
  }
  return longest.reverse()
}

/** How many of the ends have a key below `key`; their keys rise. */
function countBelow(ends: readonly number[], keys: readonly number[], key: number): number {
  let low = 0
  let high = ends.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[ends[middle] ?? -1] ?? 0) < key) low = middle + 1
    else high = middle
  }
  return low
}
