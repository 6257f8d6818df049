// One name or id: what was saved is shown, stale, until a server has said something better. Then the server alone is followed.
// A server that is connected may answer first, for what was saved may be old.
// Knows neither files nor what the value is.
import { NamingError } from '../../naming/errors.ts'
import type { Cell, Sink, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Ok, ok, type State } from '../../watch/state.ts'

/** A server's answer takes over at the latest this long after it came, whether what it needs is known or not. */
const maxWaitMs = 5_000

export interface WarmCellOptions<T> {
  readonly clock: Clock
  /** What the servers say. */
  readonly cell: Cell<T>
  readonly sink: Sink<State<T>>
  /** What was known last; absent when nothing was. */
  readonly saved: Ok<T> | undefined
  /** How long the servers have to answer before what was known last is shown, in milliseconds; 0 when none is there to answer. */
  readonly holdMs: number
  /** What must be known before a first answer takes over from what was saved. */
  readonly needs: (value: T) => readonly Cell<unknown>[]
  /** The servers have said something that stands. */
  readonly onChange: () => void
}

export class WarmCell<T> {
  readonly #options: WarmCellOptions<T>
  #saved: Ok<T> | undefined
  /** What was known last, as long as the servers may still answer in time. */
  #heldBack: Ok<T> | undefined
  #cancelHold: Cancel | undefined
  #unwatch: Unwatch = () => {}
  /** Watches of what an answer waits for. */
  #needs: readonly Unwatch[] = []
  #unknown = new Set<Cell<unknown>>()
  #cancelWait: Cancel | undefined
  #isClosed = false

  constructor(options: WarmCellOptions<T>) {
    this.#options = options
    this.#heldBack = options.saved
    if (options.holdMs === 0) this.#showSaved()
    else this.#cancelHold = options.clock.after(options.holdMs, () => this.#showSaved())
    this.#unwatch = options.cell.watch(state => this.#take(state))
  }

  /** What the servers said last, once that stands; undefined while what was saved is shown. */
  get answered(): State<T> | undefined {
    return this.#saved === undefined ? this.#options.cell.peek() : undefined
  }

  close(): void {
    this.#isClosed = true
    this.#stopHolding()
    this.#stopWaiting()
    this.#unwatch()
  }

  #take(state: State<T>): void {
    if (this.#isClosed) return
    if (mayPass(state)) this.#showSaved()
    if (this.#saved === undefined) this.#show(state)
    else if (state.kind === 'ok') this.#await(state)
    else if (state.kind === 'failed' && !mayPass(state)) this.#takeOver(state)
  }

  /** What was known last is better than nothing. */
  #showSaved(): void {
    const saved = this.#heldBack
    this.#stopHolding()
    if (saved === undefined) return
    this.#saved = saved
    this.#options.sink.set(saved)
  }

  /** Make before break: the endpoints of a new tree are known before it serves. */
  #await(state: Ok<T>): void {
    this.#stopNeeds()
    const needs = this.#options.needs(state.value)
    this.#unknown = new Set(needs)
    this.#needs = needs.map(cell => cell.watch(each => this.#settle(cell, each)))
    if (this.#unknown.size === 0) this.#takeOver(this.#options.cell.peek())
    else this.#cancelWait ??= this.#options.clock.after(maxWaitMs, () => this.#takeOver(this.#options.cell.peek()))
  }

  #settle(cell: Cell<unknown>, state: State<unknown>): void {
    if (state.kind === 'pending' || !this.#unknown.delete(cell) || this.#unknown.size > 0) return
    // While the watches are still being made the caller looks itself.
    if (this.#needs.length > 0) this.#takeOver(this.#options.cell.peek())
  }

  #takeOver(state: State<T>): void {
    if (state.kind === 'pending' || this.#isClosed) return
    this.#saved = undefined
    this.#show(state)
    this.#stopWaiting()
  }

  #show(state: State<T>): void {
    this.#options.sink.set(state)
    if (state.kind === 'pending') return
    this.#stopHolding()
    this.#options.onChange()
  }

  #stopHolding(): void {
    this.#heldBack = undefined
    this.#cancelHold?.()
    this.#cancelHold = undefined
  }

  #stopNeeds(): void {
    for (const unwatch of this.#needs) unwatch()
    this.#needs = []
    this.#unknown.clear()
  }

  #stopWaiting(): void {
    this.#stopNeeds()
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }
}

/** A failure that says nothing of the value. */
function mayPass(state: State<unknown>): boolean {
  return state.kind === 'failed' && NamingError.from(state.error).retryable
}

/** What was saved as a state: since then nobody has confirmed it. */
export function savedState<T>(value: T, confirmedAt: number): Ok<T> {
  const reason = new NamingError('unavailable', 'It is what was known last; no naming server has confirmed it since.')
  return ok(value, { since: confirmedAt, reason })
}
