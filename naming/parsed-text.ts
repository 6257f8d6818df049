// Remembers from which text a large dtab was parsed, so that an edited text is read only where it differs.
import type { Dentry, Dtab } from './dtab.ts'

/** A parsed text and, for each entry but an unterminated last one, the offset after its semicolon. */
interface ParsedText {
  readonly text: string
  readonly dtab: Dtab
  readonly ends: Uint32Array
}

/** Smaller tables are parsed faster than they are compared. */
const fewestEntries = 4096

const compareStep = 4096

const parsedTexts = new WeakMap<Dtab, ParsedText>()

/** Keeps the text, and the offsets after each semicolon that closed an entry, for as long as the dtab lives. */
export function rememberText(text: string, dtab: Dtab, ends: readonly number[]): void {
  if (dtab.length >= fewestEntries) parsedTexts.set(dtab, { text, dtab, ends: new Uint32Array(ends) })
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

  /** The entries of the common head. */
  get head(): Dentry[] {
    return this.#before.dtab.slice(0, this.headEntries)
  }

  /** The ends of the head's entries: where reading goes on is the last of them. */
  get headEnds(): number[] {
    return [...this.#before.ends.subarray(0, this.headEntries)]
  }

  /** What follows when an entry ends at `end` in the new text and one ended there in the old; undefined otherwise. */
  tailAfter(end: number): { readonly dentries: readonly Dentry[]; readonly ends: readonly number[] } | undefined {
    if (end < this.#tailStart) return undefined
    const { ends, dtab } = this.#before
    const entries = countUpTo(ends, end + this.#shift)
    if (entries === 0 || ends[entries - 1] !== end + this.#shift) return undefined
    return {
      dentries: dtab.slice(entries),
      ends: Array.from(ends.subarray(entries), oldEnd => oldEnd - this.#shift),
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
