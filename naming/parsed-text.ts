// Remembers from which text a large dtab was parsed, so that an edited text is read only where it differs.
import type { Dentry, Dtab } from './dtab.ts'
import { maxTerms } from './tree-parser.ts'

/** A parsed text. */
interface ParsedText {
  readonly text: string
  readonly dtab: Dtab
  /** For each entry but an unterminated last one, the offset after its semicolon. */
  readonly ends: Uint32Array
  /** For each entry, how many terms the trees up to its own have. */
  readonly terms: Uint32Array
}

/** What a parser gathers of a text, entry by entry. */
export interface ParsedEntries {
  readonly dentries: Dentry[]
  readonly ends: number[]
  readonly terms: number[]
}

/** Smaller tables are parsed faster than they are compared. */
const fewestEntries = 4096

const compareStep = 4096

const parsedTexts = new WeakMap<Dtab, ParsedText>()

/** Keeps what was parsed for as long as the dtab, which is its `dentries`, lives. */
export function rememberText(text: string, { dentries: dtab, ends, terms }: ParsedEntries): void {
  if (dtab.length < fewestEntries) return
  parsedTexts.set(dtab, { text, dtab, ends: new Uint32Array(ends), terms: new Uint32Array(terms) })
}

/** What of an earlier dtab stands unchanged at the head and the tail of an edited text. */
export class Reuse {
  readonly #before: ParsedText
  /** Old offset minus new offset of the common tail. */
  readonly #shift: number
  /** Offset in the new text at which the common tail begins. */
  readonly #tailStart: number
  /** How many entries end within the common head. */
  readonly headEntries: number

  private constructor(before: ParsedText, text: string) {
    this.#before = before
    const shorter = Math.min(before.text.length, text.length)
    const headLength = commonHead(before.text, text, shorter)
    this.headEntries = countUpTo(before.ends, headLength)
    this.#shift = before.text.length - text.length
    this.#tailStart = text.length - commonTail(before.text, text, shorter - headLength)
  }

  /** Undefined when `dtab` was not parsed from a text that is remembered. */
  static of(dtab: Dtab | undefined, text: string): Reuse | undefined {
    const before = dtab && parsedTexts.get(dtab)
    return before && new Reuse(before, text)
  }

  /** The entries of the common head; where reading goes on is the last of their ends. */
  get head(): ParsedEntries {
    const { dtab, ends, terms } = this.#before
    const entries = this.headEntries
    return {
      dentries: dtab.slice(0, entries),
      ends: [...ends.subarray(0, entries)],
      terms: [...terms.subarray(0, entries)],
    }
  }

  /**
   * What follows when an entry ends at `end` in the new text, `termsRead` so far, and one ended there in the old;
   * undefined otherwise, and when all would be too many terms: reading on finds out where.
   */
  tailAfter(end: number, termsRead: number): ParsedEntries | undefined {
    if (end < this.#tailStart) return undefined
    const { ends, dtab, terms } = this.#before
    const entries = countUpTo(ends, end + this.#shift)
    if (entries === 0 || ends[entries - 1] !== end + this.#shift) return undefined
    const moreTerms = termsRead - (terms[entries - 1] ?? 0)
    if ((terms.at(-1) ?? 0) + moreTerms > maxTerms) return undefined
    return {
      dentries: dtab.slice(entries),
      ends: Array.from(ends.subarray(entries), oldEnd => oldEnd - this.#shift),
      terms: Array.from(terms.subarray(entries), oldTerms => oldTerms + moreTerms),
    }
  }
}

/** How many of the ascending values are at most `limit`. */
function countUpTo(values: Uint32Array, limit: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] ?? 0) <= limit) low = middle + 1
    else high = middle
  }
  return low
}

function commonHead(a: string, b: string, limit: number): number {
  let length = 0
  while (length + compareStep <= limit && sameSlice(a, length, b, length)) length += compareStep
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

function commonTail(a: string, b: string, limit: number): number {
  let length = 0
  const sameBefore = (step: number): boolean => sameSlice(a, a.length - length - step, b, b.length - length - step)
  while (length + compareStep <= limit && sameBefore(compareStep)) length += compareStep
  while (length < limit && a.charCodeAt(a.length - length - 1) === b.charCodeAt(b.length - length - 1)) length++
  return length
}

function sameSlice(a: string, aStart: number, b: string, bStart: number): boolean {
  return a.slice(aStart, aStart + compareStep) === b.slice(bStart, bStart + compareStep)
}
