// Order of resourceVersions: decimal ones count up, of others nothing is known.

/** Whether `a` is surely older than `b`; false when either is not a decimal number. */
export function isOlder(a: string, b: string): boolean {
  if (!isDecimal(a) || !isDecimal(b)) return false
  return a.length === b.length ? a < b : a.length < b.length
}

/** The newer one; `b` when nothing is known. */
export function newer(a: string, b: string): string {
  return isOlder(b, a) ? a : b
}

/** One to twenty-odd digits without a leading zero: as long as such texts are equally long, text order is number order. */
function isDecimal(version: string): boolean {
  return /^(0|[1-9][0-9]*)$/.test(version)
}
