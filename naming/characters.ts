// Which UTF-16 units may stand where in the dtab language. Knows no grammar.

const labelUnit = 1
const digitUnit = 2
const hexUnit = 4
const blankUnit = 8

const asciiClasses = new Uint8Array(128)

function mark(units: string, bits: number): void {
  for (let i = 0; i < units.length; i++) {
    const unit = units.charCodeAt(i)
    asciiClasses[unit] = (asciiClasses[unit] ?? 0) | bits
  }
}

mark('0123456789', labelUnit | digitUnit | hexUnit)
mark('ABCDEFabcdef', labelUnit | hexUnit)
mark('GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz_:.#$%-', labelUnit)
mark('\t\n\v\f\r\x1c\x1d\x1e\x1f ', blankUnit)

/** The blanks beyond ASCII, as Java's Character.isWhitespace has them: no no-break space, no NEL, no BOM. */
const wideBlanks: ReadonlySet<number> = new Set([
  0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x205f,
  0x3000,
])

function hasClass(unit: number, bits: number): boolean {
  return unit < 128 && ((asciiClasses[unit] ?? 0) & bits) !== 0
}

/** A byte that may stand raw in a label. */
export function isLabelChar(unit: number): boolean {
  return hasClass(unit, labelUnit)
}

export function isDigit(unit: number): boolean {
  return hasClass(unit, digitUnit)
}

export function isHexDigit(unit: number): boolean {
  return hasClass(unit, hexUnit)
}

/** White space that may stand between tokens. */
export function isBlank(unit: number): boolean {
  return unit < 128 ? hasClass(unit, blankUnit) : wideBlanks.has(unit)
}
