// Keeps what single requests asked for watched for a while, so that the next request finds its answer ready.
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

export interface WarmCellsOptions {
  readonly clock: Clock
  /** A cell is let go this long after the last request for it, at the latest twice as long. */
  readonly lingerMs: number
  /** At most this many; beyond it the one that was asked for longest ago goes. */
  readonly maxCells: number
}

interface Entry {
  readonly cell: Cell<unknown>
  readonly unwatch: Unwatch
  usedAt: number
}

const ignore = (): void => {}

/** Of one server; `close` lets go of everything. */
export class WarmCells {
  readonly #options: WarmCellsOptions
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>()
  #sweep: Cancel | undefined

  constructor(options: WarmCellsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /** The cell under `key`, made when there is none, and watched from now on for a while. Equal keys must mean equal cells. */
  keep<T>(key: string, make: () => Cell<T>): Cell<T> {
    const now = this.#options.clock.monotonic()
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.usedAt = now
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known.cell as Cell<T> // the key says which type: see the contract of keep
    }
    const cell = make()
    this.#entries.set(key, { cell, unwatch: cell.watch(ignore), usedAt: now })
    if (this.#entries.size > this.#options.maxCells) this.#dropOldest()
    this.#sweep ??= this.#options.clock.after(this.#options.lingerMs, this.#dropIdle)
    return cell
  }

  /** Lets go of everything. */
  close(): void {
    this.#sweep?.()
    this.#sweep = undefined
    for (const entry of this.#entries.values()) entry.unwatch()
    this.#entries.clear()
  }

  #dropOldest(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key)
      entry.unwatch()
      return
    }
  }

  readonly #dropIdle = (): void => {
    const since = this.#options.clock.monotonic() - this.#options.lingerMs
    for (const [key, entry] of this.#entries) {
      if (entry.usedAt > since) break
      this.#entries.delete(key)
      entry.unwatch()
    }
    this.#sweep =
      this.#entries.size === 0 ? undefined : this.#options.clock.after(this.#options.lingerMs, this.#dropIdle)
  }
}
