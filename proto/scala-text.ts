// Numbers as text in the way of namerd's runtime, which clients compare and parse.

/** A double as Java and Scala print it: `2.0`, `0.25`, `1.0E7`, `1.5E-4`. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) return withFraction(String(value))
  const [mantissa = '', exponent = ''] = value.toExponential().split('e')
  return `${withFraction(mantissa)}E${Number(exponent)}`
}

function withFraction(text: string): string {
  return text.includes('.') ? text : `${text}.0`
}
