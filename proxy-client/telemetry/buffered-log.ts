// Lines on their way to a slow output: held in bounded memory, written together, dropped and counted when there are too many.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { LogOutput } from './log-output.ts'

export interface BufferedLogOptions {
  readonly output: LogOutput
  readonly clock: Clock
  /** Characters that wait at most. */
  readonly maxWaiting?: number
  /** Told when writing begins to fail, and, without an error, when it works again. */
  readonly onTrouble: (error?: Error) => void
}

const defaultMaxWaiting = 1_048_576
const flushMs = 200
/** Characters that do not wait for more. */
const fullAt = 131_072
/** How long an output may take for the last lines. */
const closeMs = 2_000

/** Never throws and never blocks. The owner closes it. */
export class BufferedLog {
  readonly #options: BufferedLogOptions
  readonly #maxWaiting: number
  #waiting = ''
  #lines = 0
  #dropped = 0
  #isFailing = false
  #due: Cancel | undefined
  #writing: Promise<void> | undefined
  #isClosing = false

  constructor(options: BufferedLogOptions) {
    this.#options = options
    this.#maxWaiting = options.maxWaiting ?? defaultMaxWaiting
  }

  /** Lines that were not written. */
  get dropped(): number {
    return this.#dropped
  }

  /** A line of latin-1 text with its end. */
  write(line: string): void {
    if (this.#waiting.length + line.length > this.#maxWaiting) {
      this.#dropped++
      return
    }
    this.#waiting += line
    this.#lines++
    if (this.#writing !== undefined) return
    if (this.#waiting.length >= fullAt) this.#begin()
    else this.#beginSoon()
  }

  /** Writes what waits, unless the output does not take it in time, then closes the output. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#begin()
    const late = Promise.withResolvers<'late'>()
    const cancel = this.#options.clock.after(closeMs, () => late.resolve('late'))
    const end = await Promise.race([this.#writing, late.promise])
    cancel()
    if (end === 'late') this.#options.onTrouble(new Error('the last lines were not taken in time'))
    else await this.#options.output.close()
  }

  #beginSoon(): void {
    this.#due ??= this.#options.clock.after(flushMs, () => this.#begin())
  }

  #begin(): void {
    this.#due?.()
    this.#due = undefined
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      if (this.#waiting !== '') this.#beginSoon()
    })
  }

  /** What came meanwhile waits for more, unless there is much of it. */
  async #writeAll(): Promise<void> {
    do await this.#writeWaiting()
    while (this.#waiting.length >= fullAt || (this.#isClosing && this.#waiting !== ''))
  }

  async #writeWaiting(): Promise<void> {
    if (this.#waiting === '') return
    const lines = this.#lines
    const bytes = Buffer.from(this.#waiting, 'latin1')
    this.#waiting = ''
    this.#lines = 0
    try {
      await this.#options.output.write(bytes)
      this.#tell(undefined)
    } catch (error) {
      this.#dropped += lines
      this.#tell(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Of a failure that goes on only the beginning is told. */
  #tell(error: Error | undefined): void {
    const isFailing = error !== undefined
    if (isFailing !== this.#isFailing) this.#options.onTrouble(error)
    this.#isFailing = isFailing
  }
}
