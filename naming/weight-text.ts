// The two spellings of a weight: Finagle's two decimals, and the exact one that the grammar can read back.

/** Digits and decimal exponent of a finite number: `0.digits x 10^exponent`, digits as in the shortest decimal form. */
function decimalDigits(weight: number): { digits: string; exponent: number } {
  const [mantissa = '0', power = '0'] = weight.toExponential().split('e')
  return { digits: mantissa.replace('.', ''), exponent: Number(power) + 1 }
}

/** Plain decimal text, without an exponent, of the digits. */
function plainDecimal(digits: string, exponent: number): { whole: string; fraction: string } {
  if (exponent <= 0) return { whole: '0', fraction: '0'.repeat(-exponent) + digits }
  const padded = digits.padEnd(exponent, '0')
  return { whole: padded.slice(0, exponent), fraction: padded.slice(exponent) }
}

/** Java's `%.2f`: half up on the shortest decimal form, so 0.005 is 0.01 and 1.005 is 1.01. Lossy. */
export function showWeight(weight: number): string {
  if (!Number.isFinite(weight)) return 'Infinity'
  const { digits, exponent } = decimalDigits(weight)
  const { whole, fraction } = plainDecimal(digits, exponent)
  const hundredths = BigInt(whole + fraction.padEnd(2, '0').slice(0, 2))
  const rounded = (fraction[2] ?? '0') >= '5' ? hundredths + 1n : hundredths
  const text = rounded.toString().padStart(3, '0')
  return `${text.slice(0, -2)}.${text.slice(-2)}`
}

/** The shortest text that parses to exactly this weight. An infinite one has no short text; its digits overflow on purpose. */
export function formatWeight(weight: number): string {
  if (!Number.isFinite(weight)) return `1${'0'.repeat(309)}`
  const shortest = String(weight)
  if (!shortest.includes('e')) return shortest
  const { digits, exponent } = decimalDigits(weight)
  const { whole, fraction } = plainDecimal(digits, exponent)
  return fraction === '' || fraction === '0' ? whole : `${whole}.${fraction}`
}
