// A cursor over the text of a path or dtab: one unit of look-ahead, the first fault, blanks and labels. Never throws.
import { isBlank, isDigit, isHexDigit, isLabelChar } from './characters.ts'
import { type ErrorCode, NamingError, type TextPosition } from './errors.ts'
import type { Label } from './path.ts'

/** What `peek` gives at the end of the text. A literal U+FFFF reads the same and is legal only in a comment. */
export const endOfInput = 0xffff

const slash = 0x2f
const backslash = 0x5c
const hash = 0x23
const dot = 0x2e

/** Texts up to this many units are quoted whole in an error message; of longer ones only the surroundings. */
const quotedWhole = 4096
const quotedAround = 128

/** The engine keeps a slice this long as a view that holds the whole text in memory. */
const shortestView = 13

interface Fault {
  readonly offset: number
  readonly expected: string
  readonly found: string
}

/** Reads one text from left to right. After a fault every reading method has undefined results; ask `fault`. */
export class Scanner {
  readonly text: string
  position = 0
  #fault: Fault | undefined

  constructor(text: string) {
    this.text = text
  }

  get hasFailed(): boolean {
    return this.#fault !== undefined
  }

  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  peek(): number {
    return this.position < this.text.length ? this.text.charCodeAt(this.position) : endOfInput
  }

  /** Records that `expected` does not stand here. Keeps the first fault only. */
  fail(expected: string, found = describeUnit(this.peek())): undefined {
    this.#fault ??= { offset: this.position, expected, found }
    return undefined
  }

  /** Steps over `unit` if it is next. */
  take(unit: number): boolean {
    if (this.peek() !== unit) return false
    this.position++
    return true
  }

  /** Steps over `unit`, or fails. */
  require(unit: number): boolean {
    if (this.take(unit)) return true
    this.fail(describeUnit(unit))
    return false
  }

  requireEnd(): boolean {
    if (this.atEnd) return true
    this.fail('end of input')
    return false
  }

  /** Steps over white space and comments. */
  skipBlanks(): void {
    while (this.position < this.text.length) {
      const unit = this.text.charCodeAt(this.position)
      if (unit === hash) this.#skipComment()
      else if (isBlank(unit)) this.position++
      else return
    }
  }

  #skipComment(): void {
    const newline = this.text.indexOf('\n', this.position)
    this.position = newline < 0 ? this.text.length : newline + 1
  }

  /** Steps over the slash that every path and prefix begins with, and the blanks before it. */
  openPath(): boolean {
    this.skipBlanks()
    return this.require(slash)
  }

  /** One or more elements with a slash between them, in an array of exact size; undefined on a fault. */
  list<T extends string | null>(readElement: (scanner: Scanner) => T | undefined): T[] | undefined {
    const first = readElement(this)
    if (first === undefined) return undefined
    if (!this.take(slash)) return [first]
    const second = readElement(this)
    if (second === undefined) return undefined
    if (!this.take(slash)) return [first, second]
    const elements = [first, second]
    do {
      const element = readElement(this)
      if (element === undefined) return undefined
      elements.push(element)
    } while (this.take(slash))
    return elements.slice()
  }

  /** Whether a label begins here. */
  get atLabel(): boolean {
    const unit = this.peek()
    return isLabelChar(unit) || unit === backslash
  }

  /** One label with its escapes undone; undefined on a fault. */
  label(): Label | undefined {
    const plain = this.#plainRun()
    if (this.peek() === backslash) return this.#escapedLabel(plain)
    return plain === '' ? this.fail('label char') : plain
  }

  #plainRun(): string {
    const start = this.position
    const { text } = this
    let end = start
    while (end < text.length && isLabelChar(text.charCodeAt(end))) end++
    this.position = end
    return detached(text.slice(start, end))
  }

  #escapedLabel(before: string): Label | undefined {
    let label = before
    while (this.take(backslash)) {
      const byte = this.#escapedByte()
      if (byte === undefined) return undefined
      label += String.fromCharCode(byte) + this.#plainRun()
    }
    return label
  }

  #escapedByte(): number | undefined {
    if (!this.require(0x78)) return undefined
    for (let digit = 0; digit < 2; digit++) {
      if (!isHexDigit(this.peek())) return this.fail('hex char')
      this.position++
    }
    return Number.parseInt(this.text.slice(this.position - 2, this.position), 16)
  }

  /** A weight without sign or exponent; undefined on a fault. Very many digits give Infinity. */
  number(): number | undefined {
    const start = this.position
    let hasDot = false
    for (let unit = this.peek(); isDigit(unit) || unit === dot; unit = this.peek()) {
      if (unit === dot && hasDot) return this.fail('number char')
      hasDot ||= unit === dot
      this.position++
    }
    if (hasDot && this.position === start + 1) return this.fail('weight', "'.'")
    return Number(this.text.slice(start, this.position))
  }

  get atNumber(): boolean {
    const unit = this.peek()
    return isDigit(unit) || unit === dot
  }

  /** The recorded fault as an error in namerd's words. */
  error(code: ErrorCode): NamingError {
    const { offset, expected, found } = this.#fault ?? { offset: this.position, expected: 'nothing', found: 'nothing' }
    const message = `${expected} expected but ${found} found at '${quote(this.text, offset)}'`
    return new NamingError(code, message, { detail: { position: positionOf(this.text, offset), expected } })
  }
}

/** The same string, not as a view: labels outlive the text that they were read from. */
function detached(slice: string): string {
  return slice.length < shortestView ? slice : ` ${slice}`.slice(1)
}

function describeUnit(unit: number): string {
  return unit === endOfInput ? 'end of input' : `'${String.fromCharCode(unit)}'`
}

function quote(text: string, offset: number): string {
  const isWhole = text.length <= quotedWhole
  const start = isWhole ? 0 : Math.max(0, offset - quotedAround)
  const end = isWhole ? text.length : Math.min(text.length, offset + quotedAround)
  const before = (start > 0 ? '…' : '') + text.slice(start, offset)
  const after = text.slice(offset + 1, end) + (end < text.length ? '…' : '')
  return `${before}[${text.slice(offset, offset + 1)}]${after}`
}

function positionOf(text: string, offset: number): TextPosition {
  let line = 1
  let lineStart = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', lineStart)) {
    line++
    lineStart = at + 1
  }
  return { offset, line, column: offset - lineStart + 1 }
}
