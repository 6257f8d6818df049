// Finds the end of a head or of a trailer section while its bytes come, checks every byte on the way and never looks at one
// twice. Holds no more than the limits allow. Knows the grammar of lines, not what they mean.
import { withoutBlanks } from './blanks.ts'
import { FieldSection, marksPerField, noFields } from './field-section.ts'
import { knownField } from './known-field.ts'
import type { HeadLimits, MessageProblem } from './message.ts'
import { tokenBytes } from './octets.ts'
import { lineTooLong, malformed, tooLong } from './problem.ts'

const Phase = {
  startLine: 0,
  startFeed: 1,
  lineStart: 2,
  name: 3,
  blank: 4,
  value: 5,
  lineFeed: 6,
  lastFeed: 7,
} as const

const cr = 0x0d
const lf = 0x0a
const sp = 0x20
const tab = 0x09
const colon = 0x3a
const del = 0x7f

const crlfBytes = 2

const startTooLong = lineTooLong('The start line is too long.')
const fieldsTooLong = tooLong('The fields are too long together.')

/** Checks a start line, which lies from `start` to `end`. */
export type StartLineCheck = (bytes: Buffer, start: number, end: number) => MessageProblem | undefined

/** Where fields are noted while they are scanned. Shared: a section that does not come at once takes its part with it. */
const scratch: number[] = []

/** Scans one section at a time; `begin` makes ready for the next. */
export class SectionScan {
  /** Whether the section has ended. */
  isWhole = false
  /** Why it cannot be read. */
  problem: MessageProblem | undefined = undefined
  /** All of the section's bytes, the start line and the empty line among them, once it is whole. */
  text = ''
  /** Bits of `Field` that occur, and those that occur more than once. */
  present = 0
  repeated = 0

  readonly #limits: HeadLimits
  readonly #checkStartLine: StartLineCheck
  /** Positions are counted from the section's first byte. */
  #at = 0
  #phase: number = Phase.lineStart
  #lineEnd = 0
  #fieldsStart = 0
  #nameStart = 0
  #nameEnd = 0
  #valueStart = 0
  #valueEnd = 0
  #count = 0
  #isExact = true
  #marks: number[] = scratch
  #held: Buffer | undefined = undefined
  #heldBytes = 0

  constructor(limits: HeadLimits, checkStartLine: StartLineCheck) {
    this.#limits = limits
    this.#checkStartLine = checkStartLine
  }

  /** Makes ready for a head, or for a trailer section, which has no start line. */
  begin(hasStartLine: boolean): void {
    this.isWhole = false
    this.problem = undefined
    this.present = 0
    this.repeated = 0
    this.#at = 0
    this.#phase = hasStartLine ? Phase.startLine : Phase.lineStart
    this.#fieldsStart = 0
    this.#count = 0
    this.#isExact = true
    this.#heldBytes = 0
    this.release()
  }

  /** Whether the start line has been checked. */
  get isPastStartLine(): boolean {
    return this.#fieldsStart > 0
  }

  /** Feeds bytes; gives the index of the first that was not taken. */
  read(chunk: Buffer, from: number): number {
    if (this.#held !== undefined) return this.#readOn(this.#held, chunk, from)
    if (this.#scan(chunk, from, chunk.length)) this.text = chunk.toString('latin1', from, from + this.#at)
    else if (this.problem === undefined) this.#hold(chunk, from)
    return from + this.#at
  }

  /** The fields of a whole section. */
  fields(): FieldSection {
    if (this.#count === 0) return noFields
    const last = this.#count * marksPerField
    this.#marks[last] = this.#at - crlfBytes
    const marks = this.#marks.slice(0, last + 1)
    return this.#isExact
      ? new FieldSection(this.text, marks, this.present)
      : exactSection(this.text, marks, this.present)
  }

  /** Lets go of the bytes of a whole section: an idle connection keeps nothing of its last head. */
  release(): void {
    this.text = ''
    this.#held = undefined
    this.#marks = scratch
  }

  #hold(chunk: Buffer, from: number): void {
    this.#marks = this.#marks.slice(0, this.#count * marksPerField)
    this.#held = Buffer.allocUnsafe(Math.max(512, 2 * this.#at))
    this.#heldBytes = chunk.copy(this.#held, 0, from)
  }

  #readOn(held: Buffer, chunk: Buffer, from: number): number {
    const before = this.#heldBytes
    const { maxStartLineBytes, maxFieldBytes } = this.#limits
    const most = maxStartLineBytes + maxFieldBytes + 2 * crlfBytes - before
    const end = before + Math.min(chunk.length - from, most)
    const bytes = end <= held.length ? held : Buffer.allocUnsafe(2 * end)
    if (bytes !== held) held.copy(bytes, 0, 0, before)
    chunk.copy(bytes, before, from, from + end - before)
    this.#held = bytes
    this.#heldBytes = end
    if (this.#scan(bytes, 0, end)) this.text = bytes.toString('latin1', 0, this.#at)
    return from + this.#at - before
  }

  #scan(bytes: Buffer, base: number, end: number): boolean {
    if (this.#phase <= Phase.startFeed && !this.#scanStartLine(bytes, base, end)) return false
    this.isWhole = this.#scanFields(bytes, base, end)
    return this.isWhole
  }

  #scanStartLine(bytes: Buffer, base: number, end: number): boolean {
    const bound = base + this.#limits.maxStartLineBytes + crlfBytes
    const stop = Math.min(end, bound)
    let p = base + this.#at
    if (this.#phase === Phase.startLine) {
      p = endOfText(bytes, p, stop)
      if (p === stop) return this.#pause(p - base, p === bound, startTooLong)
      if (bytes[p] !== cr) return this.#fail(p - base, 'The start line holds a byte that may not stand there.')
      this.#lineEnd = p++ - base
      this.#phase = Phase.startFeed
    }
    if (p === stop) return this.#pause(p - base, p === bound, startTooLong)
    if (bytes[p] !== lf) return this.#fail(p - base, 'The start line holds a carriage return.')
    this.#at = p + 1 - base
    this.#fieldsStart = this.#at
    this.#phase = Phase.lineStart
    this.problem = this.#checkStartLine(bytes, base, base + this.#lineEnd)
    return this.problem === undefined
  }

  #scanFields(bytes: Buffer, base: number, end: number): boolean {
    const bound = base + this.#fieldsStart + this.#limits.maxFieldBytes + crlfBytes
    const stop = end < bound ? end : bound
    let p = base + this.#at
    let phase = this.#phase
    while (p < stop) {
      switch (phase) {
        case Phase.lineStart:
          if (bytes[p] !== cr && tokenBytes[bytes[p] ?? 0] !== 1) return this.#fail(p - base, whatIsNoName(bytes[p]))
          phase = bytes[p] === cr ? Phase.lastFeed : Phase.name
          this.#nameStart = p++ - base
          break
        case Phase.name:
          while (p < stop && tokenBytes[bytes[p] ?? 0] === 1) p++
          if (p === stop) break
          if (bytes[p] !== colon)
            return this.#fail(p - base, 'A field name is not a token with a colon right after it.')
          this.#nameEnd = p++ - base
          phase = Phase.blank
          break
        case Phase.blank:
          while (p < stop && (bytes[p] === sp || bytes[p] === tab)) p++
          if (p === stop) break
          this.#valueStart = p - base
          phase = Phase.value
          break
        case Phase.value:
          p = endOfText(bytes, p, stop)
          if (p === stop) break
          if (bytes[p] !== cr) return this.#fail(p - base, 'A field value holds a byte that may not stand there.')
          this.#valueEnd = p++ - base
          phase = Phase.lineFeed
          break
        case Phase.lineFeed:
          if (bytes[p] !== lf) return this.#fail(p - base, 'A field value holds a carriage return.')
          if (!this.#note(bytes, base, ++p)) return false
          phase = Phase.lineStart
          break
        default:
          if (bytes[p] !== lf) return this.#fail(p - base, 'A carriage return stands alone.')
          this.#at = p + 1 - base
          return true
      }
    }
    this.#phase = phase
    return this.#pause(p - base, p === bound, fieldsTooLong)
  }

  #note(bytes: Buffer, base: number, lineEnd: number): boolean {
    if (this.#count === this.#limits.maxFields) {
      this.#at = lineEnd - base
      this.problem = tooLong('There are too many fields.')
      return false
    }
    const bit = knownField(bytes, base + this.#nameStart, base + this.#nameEnd)
    this.repeated |= this.present & bit
    this.present |= bit
    const last = bytes[lineEnd - crlfBytes - 1]
    const isExact =
      this.#valueStart === this.#nameEnd + 2 &&
      bytes[base + this.#nameEnd + 1] === sp &&
      (this.#valueEnd === this.#valueStart || (last !== sp && last !== tab))
    if (!isExact) this.#isExact = false
    const marks = this.#marks
    const at = this.#count++ * marksPerField
    marks[at] = this.#nameStart
    marks[at + 1] = this.#nameEnd
    marks[at + 2] = bit
    return true
  }

  #pause(at: number, isOverLimit: boolean, problem: MessageProblem): boolean {
    this.#at = at
    if (isOverLimit) this.problem = problem
    return false
  }

  #fail(at: number, message: string): boolean {
    this.#at = at
    this.problem = malformed(message)
    return false
  }
}

/** Passes over HTAB, SP, VCHAR and obs-text: what field values and status lines are made of. Comparing beats a table here. */
function endOfText(bytes: Buffer, from: number, stop: number): number {
  let p = from
  while (p < stop) {
    const byte = bytes[p] ?? 0
    if (byte < sp ? byte !== tab : byte === del) break
    p++
  }
  return p
}

function whatIsNoName(byte: number | undefined): string {
  if (byte === sp || byte === tab) return 'A field line is folded.'
  return byte === colon ? 'A field has no name.' : 'A field name holds a byte that may not stand there.'
}

/** The same section with one space after each colon and none at the end of a line. */
function exactSection(text: string, marks: readonly number[], present: number): FieldSection {
  let exact = ''
  const exactMarks: number[] = []
  for (let i = 0; i + marksPerField < marks.length; i += marksPerField) {
    const [start = 0, nameEnd = 0, bit = 0, lineEnd = 0] = marks.slice(i, i + marksPerField + 1)
    const name = text.substring(start, nameEnd)
    exactMarks.push(exact.length, exact.length + name.length, bit)
    exact += `${name}: ${withoutBlanks(text, nameEnd + 1, lineEnd - crlfBytes)}\r\n`
  }
  exactMarks.push(exact.length)
  return new FieldSection(exact, exactMarks, present)
}
