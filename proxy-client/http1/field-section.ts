// A checked section of fields over one string. Knows where its lines lie, not what they mean.
import { type Fields, fieldNames } from './fields.ts'
import { lowerBytes } from './octets.ts'

/** Numbers kept for each field: where its line starts, where its name ends, its bit in `Field`. */
export const marksPerField = 3

const knownBits: ReadonlyMap<string, number> = new Map(Object.entries(fieldNames))

/**
 * Fields over a text in which every line is `Name: value` and CRLF, exactly. `marks` holds three numbers for each field and
 * at last where the section ends.
 */
export class FieldSection implements Fields {
  readonly size: number
  readonly present: number
  readonly #text: string
  readonly #marks: readonly number[]

  constructor(text: string, marks: readonly number[], present: number) {
    this.size = (marks.length - 1) / marksPerField
    this.present = present
    this.#text = text
    this.#marks = marks
  }

  nameAt(index: number): string {
    return this.#text.substring(this.#startOf(index), this.#nameEndOf(index))
  }

  valueAt(index: number): string {
    return this.#text.substring(this.#nameEndOf(index) + 2, this.#startOf(index + 1) - 2)
  }

  first(lowerName: string): string | undefined {
    const found = this.#find(lowerName, 0)
    return found < 0 ? undefined : this.valueAt(found)
  }

  all(lowerName: string): readonly string[] {
    const first = this.#find(lowerName, 0)
    if (first < 0) return noValues
    // Nearly always there is one.
    const values = [this.valueAt(first)]
    for (let i = this.#find(lowerName, first + 1); i >= 0; i = this.#find(lowerName, i + 1))
      values.push(this.valueAt(i))
    return values
  }

  lines(dropped: number, named?: ReadonlySet<string>): string {
    const isWhole = named === undefined && (this.present & dropped) === 0
    if (isWhole) return this.#text.substring(this.#startOf(0), this.#startOf(this.size))
    let kept = ''
    let runStart = this.#startOf(0)
    for (let i = 0; i < this.size; i++) {
      if (
        ((this.#marks[i * marksPerField + 2] ?? 0) & dropped) === 0 &&
        named?.has(this.nameAt(i).toLowerCase()) !== true
      )
        continue
      if (runStart < this.#startOf(i)) kept += this.#text.substring(runStart, this.#startOf(i))
      runStart = this.#startOf(i + 1)
    }
    return runStart === this.#startOf(this.size)
      ? kept
      : kept + this.#text.substring(runStart, this.#startOf(this.size))
  }

  #startOf(index: number): number {
    return this.#marks[index * marksPerField] ?? 0
  }

  #nameEndOf(index: number): number {
    return this.#marks[index * marksPerField + 1] ?? 0
  }

  /** The index of the next field of that name, from one on; -1 when there is none. */
  #find(lowerName: string, from: number): number {
    const bit = knownBits.get(lowerName)
    if (bit === undefined) {
      for (let i = from; i < this.size; i++) if (this.#isNamed(i, lowerName)) return i
    } else if ((this.present & bit) !== 0) {
      // Names may share a bit.
      for (let i = from; i < this.size; i++) {
        if (this.#marks[i * marksPerField + 2] === bit && this.#isNamed(i, lowerName)) return i
      }
    }
    return -1
  }

  #isNamed(index: number, lowerName: string): boolean {
    const start = this.#startOf(index)
    if (this.#nameEndOf(index) - start !== lowerName.length) return false
    for (let i = 0; i < lowerName.length; i++) {
      if (lowerBytes[this.#text.charCodeAt(start + i)] !== lowerName.charCodeAt(i)) return false
    }
    return true
  }
}

const noValues: readonly string[] = []

/** A section without fields. */
export const noFields: FieldSection = new FieldSection('', [0], 0)
