// A cell as an async iterator, for edges that write in a loop. Written by hand: an async generator that waits cannot be
// returned from, so it would hold its watch until the next change.
import type { Cell, Unwatch } from './cell.ts'
import type { State } from './state.ts'

type Result<T> = IteratorResult<State<T>, undefined>
const ended = { done: true, value: undefined } as const

/**
 * The cell's present state, then each change: only the newest when the reader is slow. Watches from the first `next`
 * until the signal aborts or `return` is called; both end a `next` that waits, at once. One reader.
 */
export function latest<T>(cell: Cell<T>, signal: AbortSignal): AsyncIterableIterator<State<T>, undefined> {
  return new Latest(cell, signal)
}

class Latest<T> implements AsyncIterableIterator<State<T>, undefined> {
  readonly #cell: Cell<T>
  readonly #signal: AbortSignal
  readonly #waiting: ((result: Result<T>) => void)[] = []
  #newest: State<T> | undefined
  #unwatch: Unwatch | undefined
  #hasEnded = false

  constructor(cell: Cell<T>, signal: AbortSignal) {
    this.#cell = cell
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result<T>> {
    this.#begin()
    if (this.#hasEnded) return Promise.resolve(ended)
    const state = this.#newest
    if (state === undefined) return new Promise(resolve => this.#waiting.push(resolve))
    this.#newest = undefined
    return Promise.resolve({ done: false, value: state })
  }

  return(): Promise<Result<T>> {
    this.#end()
    return Promise.resolve(ended)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    return Promise.resolve()
  }

  #begin(): void {
    if (this.#unwatch !== undefined || this.#hasEnded) return
    this.#hasEnded = this.#signal.aborted
    if (this.#hasEnded) return
    this.#signal.addEventListener('abort', this.#end, { once: true })
    this.#unwatch = this.#cell.watch(this.#take)
    if (this.#hasEnded) this.#unwatch()
  }

  readonly #take = (state: State<T>): void => {
    const reader = this.#waiting.shift()
    if (reader === undefined) this.#newest = state
    else reader({ done: false, value: state })
  }

  readonly #end = (): void => {
    this.#hasEnded = true
    this.#newest = undefined
    this.#signal.removeEventListener('abort', this.#end)
    this.#unwatch?.()
    for (const reader of this.#waiting.splice(0)) reader(ended)
  }
}
