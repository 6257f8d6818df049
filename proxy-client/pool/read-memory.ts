// The memory that upstream sockets read into, used again and again: a fresh buffer for every read costs more than the read.
// Idle connections and small messages share one buffer of the thread, for a read is handed over before the next one begins.
// Knows nothing of sockets and messages.

const sharedBytes = 64 * 1024
const ownBytes = 256 * 1024
/** Below this a read does not repay memory of its own. */
const worthwhileBytes = 64 * 1024
const maxSpare = 16

const shared = Buffer.allocUnsafeSlow(sharedBytes)
const spare: Buffer[] = []

/**
 * Which memory one socket reads into. At first the shared buffer, out of which everything that is handed on must be copied;
 * while a body fills whole reads, a large buffer of its own, out of which slices are handed on as they are. Such a buffer is
 * read into again only when nobody keeps a slice of it.
 */
export class ReadMemory {
  #current: Buffer = shared
  #next: Buffer = shared

  /** The bytes of the read that has just ended. */
  chunk(bytes: number): Buffer {
    return this.#current.subarray(0, bytes)
  }

  /** A slice of the chunk in a form that stays as it is for as long as somebody keeps it. */
  lasting(slice: Buffer): Buffer {
    return this.#current === shared ? Buffer.from(slice) : slice
  }

  /**
   * Chooses where the next read goes, after a chunk of so many bytes was handed on. `isDrained` says whether nobody keeps a
   * slice; it is asked only when it matters. `isInMessage`: more of the same message is expected.
   */
  settle(bytes: number, isInMessage: boolean, keeper: { readonly isDrained: boolean } | undefined): void {
    if (this.#current === shared) {
      if (bytes === sharedBytes && isInMessage && keeper?.isDrained === true) this.#next = spare.pop() ?? ownBuffer()
      return
    }
    const isFree = keeper?.isDrained === true
    if (isFree && isInMessage && bytes >= worthwhileBytes) return
    if (isFree && spare.length < maxSpare) spare.push(this.#current)
    this.#next = shared
  }

  /** The buffer of the next read: net's `onread` asks once before the first read and after each. */
  readonly next = (): Buffer => {
    this.#current = this.#next
    return this.#next
  }
}

function ownBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(ownBytes)
}
