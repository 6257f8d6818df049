// Keeps what single requests asked for watched for a while, so that the next request finds its answer ready.
import type { Cell, Unwatch } from '../watch/cell.ts'
import type { Cancel, Clock } from '../watch/clock.ts'

export interface WarmCellsOptions {
  readonly clock: Clock
  /** A cell is let go this long after the last request for it, at the latest twice as long. */
  readonly lingerMs: number
  /** At most this many; beyond it the one that was asked for longest ago goes. */
  readonly maxCells: number
  /** At most this many that the same client asked for first, so that it pushes out its own before those of others. */
  readonly maxCellsPerClient?: number
}

interface Entry {
  readonly cell: Cell<unknown>
  readonly unwatch: Unwatch
  readonly client: string
  usedAt: number
}

const ignore = (): void => {}

/** Of one server; `close` lets go of everything. */
export class WarmCells {
  readonly #options: WarmCellsOptions
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>()
  /** The keys that each client asked for first, in order of last use. */
  readonly #keysOfClient = new Map<string, Set<string>>()
  #sweep: Cancel | undefined

  constructor(options: WarmCellsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * The cell under `key`, made when there is none, and watched from now on for a while. Equal keys must mean equal cells.
   * `client`: who asks, where that matters.
   */
  keep<T>(key: string, make: () => Cell<T>, client = ''): Cell<T> {
    const now = this.#options.clock.monotonic()
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.usedAt = now
      this.#forget(key, known)
      this.#remember(key, known)
      return known.cell as Cell<T> // the key says which type: see the contract of keep
    }
    const cell = make()
    this.#remember(key, { cell, unwatch: cell.watch(ignore), client, usedAt: now })
    this.#keepToLimits(client)
    this.#sweep ??= this.#options.clock.after(this.#options.lingerMs, this.#dropIdle)
    return cell
  }

  /** Lets go of everything. */
  close(): void {
    this.#sweep?.()
    this.#sweep = undefined
    for (const entry of this.#entries.values()) entry.unwatch()
    this.#entries.clear()
    this.#keysOfClient.clear()
  }

  #keepToLimits(client: string): void {
    const { maxCells, maxCellsPerClient = maxCells } = this.#options
    const own = this.#keysOfClient.get(client)
    if (own !== undefined && own.size > maxCellsPerClient) this.#dropFirst(own)
    if (this.#entries.size > maxCells) this.#dropFirst(this.#entries.keys())
  }

  #dropFirst(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#drop(key)
      return
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#forget(key, entry)
    entry.unwatch()
  }

  #remember(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
    const own = this.#keysOfClient.get(entry.client)
    if (own === undefined) this.#keysOfClient.set(entry.client, new Set([key]))
    else own.add(key)
  }

  #forget(key: string, { client }: Entry): void {
    this.#entries.delete(key)
    const own = this.#keysOfClient.get(client)
    own?.delete(key)
    if (own?.size === 0) this.#keysOfClient.delete(client)
  }

  readonly #dropIdle = (): void => {
    const { clock, lingerMs } = this.#options
    const since = clock.monotonic() - lingerMs
    for (const [key, entry] of this.#entries) {
      if (entry.usedAt > since) break
      this.#drop(key)
    }
    this.#sweep = this.#entries.size === 0 ? undefined : clock.after(lingerMs, this.#dropIdle)
  }
}
