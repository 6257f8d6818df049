// Notices what has been written to the file, by this process or another, and tells the open cells.
// Polls only while something is observed.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { LocalCells } from '../local-cells.ts'
import { headsAfter, type NewHead } from './new-heads.ts'
import type { Reader } from './reader.ts'
import type { Outcome } from './writer.ts'

/** Half of the 200 ms in which another process's write must be seen. */
const pollMs = 100
/** The sources hear of every so many quiet polls, and of as many failed ones: there may be very many of them. */
const pollsPerWord = 10

export interface ChangeWatchOptions {
  readonly clock: Clock
  readonly reader: Reader
  readonly cells: LocalCells
  /** Told of namespaces in which another program has put something; again until that is settled. */
  readonly onUnsettled: (namespaces: readonly string[]) => void
}

/** `start` and `stop` as cells open and close; `committed` after each commit of our own. */
export class ChangeWatch {
  readonly #options: ChangeWatchOptions
  #cancel: Cancel | undefined
  /** Failed reads in a row. */
  #failures = 0
  #dataVersion: number | undefined
  #sequence: number | undefined
  /** What the newest head was at the last look. */
  #mark: string | undefined
  #markedAt = 0
  #polls = 0

  constructor(options: ChangeWatchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#cancel !== undefined) return
    this.#dataVersion = this.#sequence = undefined
    this.#attempt(() => {
      const { reader, onUnsettled } = this.#options
      this.#dataVersion = reader.dataVersion()
      this.#noticeSetBack()
      this.#sequence = reader.lastSequence()
      this.#setMark()
      onUnsettled(reader.unsettled())
    })
    this.#schedule()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Publishes the heads that were committed since the last time; what else a commit changed is found by the next poll. */
  catchUp(): void {
    if (this.#cancel !== undefined) this.#attempt(() => this.#readHeads())
  }

  /** As catchUp; what has been written right after the last head known is published without being read. */
  committed(outcomes: readonly Outcome[]): void {
    const heads = this.#sequence === undefined ? undefined : headsAfter(this.#sequence, outcomes)
    if (heads === undefined || this.#mustReadAll) this.catchUp()
    else if (this.#cancel !== undefined) this.#attempt(() => this.#showHeads(heads))
  }

  get #mustReadAll(): boolean {
    return this.#failures > 0 || this.#options.cells.hasFailedRead
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(pollMs, () => {
      this.#schedule()
      this.#attempt(() => this.#poll())
    })
  }

  #poll(): void {
    const dataVersion = this.#options.reader.dataVersion()
    if (dataVersion === this.#dataVersion && !this.#mustReadAll) {
      this.#polls++
      if (this.#polls % pollsPerWord === 0) this.#options.cells.contact()
      return
    }
    this.#readChanges()
    this.#dataVersion = dataVersion
  }

  #readChanges(): void {
    const { reader, cells, onUnsettled } = this.#options
    this.#noticeSetBack()
    this.#readHeads()
    this.#setMark()
    cells.changedPresence()
    cells.changedRefusals()
    const unsettled = reader.unsettled()
    if (unsettled.length > 0) onUnsettled(unsettled)
  }

  /** A file that got the content of an older copy while it was open has lost what it had: all is read anew. */
  #noticeSetBack(): void {
    const { reader } = this.#options
    if (this.#mark === undefined || reader.mark(this.#markedAt) === this.#mark) return
    reader.startAgain()
    this.#mark = this.#sequence = undefined
  }

  #setMark(): void {
    this.#markedAt = this.#sequence ?? 0
    this.#mark = this.#options.reader.mark(this.#markedAt)
  }

  #readHeads(): void {
    const { reader, cells } = this.#options
    if (this.#sequence === undefined || this.#mustReadAll) {
      reader.assertSameFile()
      const sequence = reader.lastSequence()
      cells.changedAll()
      this.#sequence = sequence
      return
    }
    const { namespaces, sequence } = reader.headsSince(this.#sequence)
    if (namespaces.length > 0) cells.changedHeads(namespaces)
    this.#sequence = sequence
  }

  #showHeads(heads: readonly NewHead[]): void {
    const { reader, cells } = this.#options
    const last = heads.at(-1)
    if (last === undefined) return
    cells.wroteHeads(
      heads.map(({ head }) => head),
      () => reader.summariesWith(heads),
    )
    this.#sequence = last.sequence
  }

  #attempt(read: () => void): void {
    try {
      read()
      this.#failures = 0
    } catch (error) {
      const { clock, cells } = this.#options
      const failure = error instanceof Error ? error : new Error(String(error))
      if (this.#failures % pollsPerWord === 0) cells.fail(failure, clock.now() + pollMs)
      this.#failures++
    }
  }
}
