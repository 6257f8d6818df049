// What is to be on disk: of what is in use what the servers said last, of the rest what was saved. Bounded. Knows no file.
import type { Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'
import { encodeEntry, type SavedEntry, type SavedKind, SavedRecords } from './saved-state.ts'

/** Names and ids kept at most, each. */
const maxEntries = 5_000
/** Bytes kept at most, in memory and on disk, each. */
const maxBytes = 32 * 1024 * 1024
/** Encoded in one turn of the event loop; an entry counts as `entryBytes` at least. */
const bytesPerTurn = 128 * 1024
const entryBytes = 2 * 1024

/** A name or id in use: its answer now, encoded; undefined while there is none worth keeping. */
export type ReadAnswer = () => SavedEntry | undefined

export class GoodMemory {
  readonly #clock: Clock
  readonly #maxAgeMs: number
  /** What the servers have not confirmed or replaced since it was in use last; the oldest first. */
  readonly #saved = new Map<string, SavedEntry>()
  #savedBytes = 0
  readonly #live = new Map<string, ReadAnswer>()

  constructor(clock: Clock, maxAgeMs: number) {
    this.#clock = clock
    this.#maxAgeMs = maxAgeMs
  }

  /** Entries that stand in for an answer. */
  get size(): number {
    return this.#saved.size
  }

  put(entry: SavedEntry): void {
    const id = idOf(entry.kind, entry.key)
    this.#forget(id)
    this.#saved.set(id, entry)
    this.#savedBytes += bytesOf(entry)
    for (const oldest of this.#saved.keys()) {
      if (this.#saved.size <= 2 * maxEntries && this.#savedBytes <= maxBytes) break
      this.#forget(oldest)
    }
  }

  saved(kind: SavedKind, key: string): SavedEntry | undefined {
    const entry = this.#saved.get(idOf(kind, key))
    return entry !== undefined && this.#isFresh(entry) ? entry : undefined
  }

  /** It is in use from now on. */
  open(kind: SavedKind, key: string, read: ReadAnswer): void {
    this.#live.set(idOf(kind, key), read)
  }

  /** The servers have answered: what was saved of it is of no use any more. */
  answered(kind: SavedKind, key: string): void {
    this.#forget(idOf(kind, key))
  }

  /** It is not in use any more; its last answer is kept until it is too old. */
  close(kind: SavedKind, key: string): void {
    const id = idOf(kind, key)
    const entry = this.#live.get(id)?.()
    this.#live.delete(id)
    if (entry !== undefined) this.put(entry)
  }

  /** The records of a file, made in slices: what is in use first, then the newest. */
  async records(): Promise<SavedRecords> {
    const records = new SavedRecords()
    const counts = { tree: 0, replicas: 0 }
    let bytesThisTurn = 0
    for (const entry of this.#entries()) {
      bytesThisTurn += Math.max(entryBytes, entry?.content.length ?? 0)
      if (entry !== undefined && counts[entry.kind] < maxEntries) {
        const record = encodeEntry(entry)
        if (records.bytes + record.length <= maxBytes) {
          counts[entry.kind]++
          records.add(record)
        }
      }
      if (bytesThisTurn < bytesPerTurn) continue
      bytesThisTurn = 0
      await nextTurn(this.#clock)
    }
    return records
  }

  *#entries(): Iterable<SavedEntry | undefined> {
    for (const read of this.#live.values()) yield read()
    for (const [id, entry] of this.#saved) if (!this.#isFresh(entry)) this.#forget(id)
    yield* [...this.#saved.values()].toSorted((a, b) => b.confirmedAt - a.confirmedAt)
  }

  #forget(id: string): void {
    const entry = this.#saved.get(id)
    if (entry === undefined) return
    this.#saved.delete(id)
    this.#savedBytes -= bytesOf(entry)
  }

  #isFresh({ confirmedAt }: SavedEntry): boolean {
    return this.#clock.now() - confirmedAt <= this.#maxAgeMs
  }
}

/** Roughly, in memory. */
function bytesOf({ key, content }: SavedEntry): number {
  return content.length + key.length + 200
}

function idOf(kind: SavedKind, key: string): string {
  return `${kind} ${key}`
}
