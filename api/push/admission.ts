// Who is served first after a restart: newcomers wait in line until those before them have what they asked for, so that
// memory and work are bounded by the line's width, not by the fleet's size. Knows no stream.
import type { Clock } from '../../watch/clock.ts'

export interface AdmissionOptions {
  readonly clock: Clock
  /** Cost that may be admitted at once; one is a name whose first state is not sent. */
  readonly width?: number
}

/** One newcomer. Both are harmless when called twice. */
export interface Ticket {
  /** It has what it asked for, or is gone: whoever is next may come. */
  leave(): void
}

const defaultWidth = 5_000

interface Waiting {
  readonly cost: number
  readonly begin: () => void
}

export class Admission {
  readonly #width: number
  readonly #line = new Set<Waiting>()
  #admitted = 0

  constructor({ width = defaultWidth }: AdmissionOptions) {
    this.#width = width
  }

  /** Newcomers in line. */
  get waiting(): number {
    return this.#line.size
  }

  /** Calls `begin` when its turn comes, at once where there is room: never later than all before it have left. */
  enter(cost: number, begin: () => void): Ticket {
    const waiting = { cost, begin }
    let isIn = false
    let isOver = false
    const entry: Waiting = {
      cost,
      begin: () => {
        isIn = true
        begin()
      },
    }
    if (this.#line.size === 0 && this.#hasRoom(cost)) this.#admit(entry)
    else this.#line.add(entry)
    return {
      leave: () => {
        if (isOver) return
        isOver = true
        if (isIn) this.#admitted -= waiting.cost
        else this.#line.delete(entry)
        this.#admitNext()
      },
    }
  }

  #hasRoom(cost: number): boolean {
    return this.#admitted === 0 || this.#admitted + cost <= this.#width
  }

  #admit(entry: Waiting): void {
    this.#admitted += entry.cost
    entry.begin()
  }

  #admitNext(): void {
    for (const entry of this.#line) {
      if (!this.#hasRoom(entry.cost)) return
      this.#line.delete(entry)
      this.#admit(entry)
    }
  }
}
