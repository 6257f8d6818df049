// One cell of a store that falls back to what was saved while the store has not answered. Once it has, it alone is followed:
// its own last good value is newer than any file. Knows neither files nor what the value is.
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Sink } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'
import type { Outage } from './outage.ts'

/** How long a silent store is waited for before the snapshot is served, in milliseconds. */
export const silenceMs = 2_000
/** And how long, at most, one that answers others meanwhile. */
export const slownessMs = 10_000

export interface Saved<T> {
  readonly value: T
  /** When it was last known to be so, in ms since 1970. */
  readonly savedAt: number
}

export interface WarmCellOptions<T> {
  readonly clock: Clock
  readonly outage: Outage
  /** The store's own. */
  readonly cell: Cell<T>
  readonly sink: Sink<T>
  /** Must not reject. */
  readonly load: () => Promise<Saved<T> | undefined>
  /** Told of each good answer. */
  readonly record: (value: T) => void
}

/** Feeds the sink until the returned function is called. */
export function openWarmCell<T>(options: WarmCellOptions<T>): () => void {
  const warm = new WarmCell(options)
  warm.open()
  return () => warm.close()
}

class WarmCell<T> {
  readonly #options: WarmCellOptions<T>
  readonly #openedAt: number
  #hasAnswered = false
  #isClosed = false
  #isOpening = true
  /** Why the store's answer is not waited for any longer. */
  #error: Error | undefined
  #hasFailed = false
  #isLoading = false
  #isLoaded = false
  #isServing = false
  #saved: Saved<T> | undefined
  #endTimer: Cancel | undefined
  #endWait: (() => void) | undefined
  #end: (() => void) | undefined

  constructor(options: WarmCellOptions<T>) {
    this.#options = options
    this.#openedAt = options.clock.monotonic()
  }

  open(): void {
    const observation = this.#options.cell.observe({ isRelay: true, deliver: state => this.#take(state) })
    this.#end = () => observation.end()
    this.#isOpening = false
    if (this.#hasAnswered || this.#hasFailed) return
    this.#wait()
    // Where another cell has waited for the store, or was refused, there is nothing to wait for.
    const endWait = this.#options.outage.whenAway(() => this.#giveUp())
    this.#endWait = () => {
      this.#endTimer?.()
      endWait()
    }
  }

  #wait(): void {
    const { clock, outage } = this.#options
    this.#endTimer = clock.after(silenceMs, () => {
      const now = clock.monotonic()
      const isSlow = outage.wasHeardSince(now - silenceMs)
      if (isSlow && now - this.#openedAt < slownessMs) this.#wait()
      else outage.inTurn(() => this.#giveUp())
    })
  }

  #giveUp(): void {
    if (this.#hasAnswered || this.#isClosed) return
    this.#endTimer?.()
    this.#fallBack(this.#error ?? new NamingError('store-unavailable', 'no answer yet'))
  }

  close(): void {
    this.#isClosed = true
    this.#end?.()
    this.#endWait?.()
    this.#options.outage.end(this)
  }

  #take(state: State<T>): void {
    if (state.kind === 'ok') this.#answer(state.value, state.stale?.reason)
    else if (state.kind === 'failed') this.#fail(state.error)
  }

  #answer(value: T, staleFor: Error | undefined): void {
    const { sink, outage, record } = this.#options
    // What it comes with at once, stale, is what the store said long ago.
    if (staleFor === undefined || (!this.#hasAnswered && !this.#isOpening)) outage.heard()
    this.#hasAnswered = true
    this.#saved = undefined
    this.#isServing = false
    this.#endWait?.()
    if (staleFor === undefined) {
      sink.set(value)
      record(value)
    } else sink.setStale(value, staleFor)
    outage.end(this)
  }

  #fail(error: Error): void {
    this.#hasFailed = true
    this.#error = error
    this.#fallBack(error)
  }

  /** Reads what was saved only now: a store that answers costs no look at the disk. */
  #fallBack(error: Error): void {
    this.#error ??= error
    this.#endWait?.()
    if (this.#hasAnswered || this.#isLoaded) this.#serve()
    else if (!this.#isLoading) {
      this.#isLoading = true
      void this.#load()
    }
  }

  async #load(): Promise<void> {
    const saved = await this.#options.load()
    if (this.#hasAnswered || this.#isClosed) return
    this.#saved = saved
    this.#isLoaded = true
    this.#serve()
  }

  /**
   * A store that is only silent may answer yet: then there is nothing to say where nothing was saved. What is served keeps
   * its first reason: each try fails with other words, and would be news to every watcher of every name.
   */
  #serve(): void {
    const { sink, outage } = this.#options
    const error = this.#error
    if (error === undefined || this.#isServing) return
    if (this.#saved !== undefined) {
      const { value, savedAt } = this.#saved
      this.#isServing = true
      outage.begin(this, { savedAt, error, waitedSince: this.#openedAt })
      sink.setStale(value, outage.reason(error, savedAt))
    } else if (this.#hasFailed) sink.fail(error)
  }
}
