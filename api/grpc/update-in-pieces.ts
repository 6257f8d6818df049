// One Update that is too large for a message, on its way in pieces. Its bytes are shared with other streams and never copied
// as a whole.
import type { UpdateMark } from '../../proto/content-digest.ts'
import type { ResponseBuilder } from './response-builder.ts'
import type { NameEntry, ReplicaEntry } from './watch-entries.ts'

export interface LargeUpdate {
  readonly entry: NameEntry | ReplicaEntry
  /** The mark that the entry has when the last piece is sent. */
  readonly mark: UpdateMark
  /** The fields of the Update, one after the other. */
  readonly fields: readonly Uint8Array[]
}

export class UpdateInPieces {
  readonly entry: NameEntry | ReplicaEntry
  readonly mark: UpdateMark
  readonly #fields: readonly Uint8Array[]
  readonly #length: number
  #at = 0

  constructor({ entry, mark, fields }: LargeUpdate) {
    this.entry = entry
    this.mark = mark
    this.#fields = fields
    this.#length = fields.reduce((sum, { length }) => sum + length, 0)
  }

  /** Appends the next piece, of at most so many bytes; true when it was the last. */
  write(builder: ResponseBuilder, bytes: number): boolean {
    const end = Math.min(this.#length, this.#at + bytes)
    builder.addPiece(this.#bytes(this.#at, end), this.#at === 0, end === this.#length)
    this.#at = end
    return end === this.#length
  }

  #bytes(from: number, to: number): Uint8Array {
    const cut: Uint8Array[] = []
    let start = 0
    for (const field of this.#fields) {
      if (start < to && start + field.length > from) cut.push(field.subarray(Math.max(0, from - start), to - start))
      start += field.length
    }
    return Buffer.concat(cut)
  }
}
