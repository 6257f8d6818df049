// Who may send a request now: at most so many at once, in turn, the first reads of new queries before the others. Knows
// nothing of what is asked.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { waitMsFor } from './poll-wait.ts'

/** So many requests go out at once before the agent answered any; each answer that came while all were used allows one more. */
const firstLimit = 16
/** While others wait, so many first reads go before one other. */
const firstsInARow = 4
/** After the agent refused, the limit stays down for so long; then it grows by a sixteenth each time. */
const learnAgainMs = 120_000
const growEachMs = 10_000
const growSteps = 16
/** It never falls below an eighth, so that an agent that refuses everything for a while costs no long turns afterwards. */
const leastShare = 8

/** An agent refuses within milliseconds; a request that is under way for longer was taken. */
const provenAfterMs = 500
/** After the first refusal, the agent needs so long to notice which connections have ended; in milliseconds. */
export const settleMs = 500
/** A request that is sent so soon after the first refusal is one of the same wave; in milliseconds. */
const waveMs = 50
/** Refusals come in bursts; what they make of the limit is told once, so long after the first, in milliseconds. */
const tellAfterMs = 1_000

/** The right to one request. */
export interface Slot {
  /** This request may be held for so long; `yieldNow` ends it when others need its place, its slot comes back soon after. */
  hold(waitMs: number, yieldNow: () => void): void
  /** The agent took the request and answered it. */
  answered(): void
  /** Harmless when called twice. */
  release(): void
}

interface Held {
  readonly since: number
  readonly waitMs: number
  readonly yieldNow: () => void
}

type Waiter = (slot: Slot | undefined) => void

export interface PollSlotsOptions {
  /** The most that may ever be under way. */
  readonly limit: number
  readonly clock: Clock
  readonly random: Random
  /** The limit fell; told at most once a second. */
  readonly onLimit?: (limit: number) => void
}

export class PollSlots {
  readonly #options: PollSlotsOptions
  readonly #firsts = new Set<Waiter>()
  readonly #others = new Set<Waiter>()
  readonly #held = new Set<Held>()
  #limit: number
  /** Nobody was refused yet: the agent's own limit, if it is below ours, is still to be met. */
  #isFeeling = true
  #inUse = 0
  #yielding = 0
  #firstsServed = 0
  #isClosed = false
  /** The first refusal of the last burst. */
  #refusedAt = Number.NEGATIVE_INFINITY
  #cancelGrowth: Cancel | undefined
  #cancelYield: Cancel | undefined
  #cancelTell: Cancel | undefined
  /** Queries that share the slots; whoever follows counts itself. */
  queries = 0

  constructor(options: PollSlotsOptions) {
    this.#options = options
    this.#limit = Math.min(firstLimit, options.limit)
  }

  get inUse(): number {
    return this.#inUse
  }

  get waiting(): number {
    return this.#firsts.size + this.#others.size
  }

  get limit(): number {
    return this.#limit
  }

  /** How long a query that is asked now may be held. */
  waitMs(): number {
    return waitMsFor(this.queries, this.#limit, this.#options.random)
  }

  /** Resolves when it is this one's turn; undefined once the signal aborts. */
  take(isFirst: boolean, signal: AbortSignal): Promise<Slot | undefined> {
    if (signal.aborted) return Promise.resolve(undefined)
    return new Promise(resolve => {
      const queue = isFirst ? this.#firsts : this.#others
      const leave = (): void => {
        queue.delete(waiter)
        resolve(undefined)
      }
      const waiter: Waiter = slot => {
        signal.removeEventListener('abort', leave)
        resolve(slot)
      }
      queue.add(waiter)
      signal.addEventListener('abort', leave, { once: true })
      this.#serve()
    })
  }

  /**
   * The agent refused a request that was sent then (monotonic): fewer at once, until it has been quiet for a while. Each
   * refused request of the wave that met the first refusal was one too many. One that was sent afterwards, under the lower
   * limit, may have come before the agent noticed the ends of others, so it counts only when things have settled.
   */
  refused(sentAt: number): void {
    if (this.#isClosed) return
    const now = this.#options.clock.monotonic()
    this.#isFeeling = false
    const isFirst = now - this.#refusedAt >= settleMs
    if (!isFirst && sentAt > this.#refusedAt + waveMs) return
    if (isFirst) this.#refusedAt = now
    const least = Math.max(Math.ceil(this.#options.limit / leastShare), this.#proven)
    const limit = Math.max(least, (isFirst ? Math.min(this.#limit, this.#inUse) : this.#limit) - 1)
    if (limit < this.#limit) {
      this.#limit = limit
      this.#cancelTell ??= this.#options.clock.after(tellAfterMs, () => {
        this.#cancelTell = undefined
        this.#options.onLimit?.(this.#limit)
      })
    }
    this.#growAfter(learnAgainMs)
  }

  /** Requests that the agent has held for a while, and so has taken: it serves so many, whatever it refuses beside them. */
  get #proven(): number {
    const before = this.#options.clock.monotonic() - provenAfterMs
    let count = 0
    for (const { since } of this.#held) if (since <= before) count++
    return count
  }

  close(): void {
    this.#isClosed = true
    this.#cancelGrowth?.()
    this.#cancelYield?.()
    this.#cancelTell?.()
  }

  #growAfter(ms: number): void {
    this.#cancelGrowth?.()
    const { limit, clock } = this.#options
    this.#cancelGrowth =
      this.#limit < limit
        ? clock.after(ms, () => {
            this.#limit = Math.min(limit, this.#limit + Math.ceil(limit / growSteps))
            this.#growAfter(growEachMs)
            this.#serve()
          })
        : undefined
  }

  #serve(): void {
    while (this.#inUse < this.#limit) {
      const waiter = this.#nextWaiter()
      if (waiter === undefined) break
      this.#inUse++
      waiter(this.#createSlot())
    }
    this.#makeRoom()
  }

  #nextWaiter(): Waiter | undefined {
    const isOthersTurn = this.#firsts.size === 0 || (this.#others.size > 0 && this.#firstsServed >= firstsInARow)
    this.#firstsServed = isOthersTurn ? 0 : this.#firstsServed + 1
    const queue = isOthersTurn ? this.#others : this.#firsts
    const [waiter] = queue
    if (waiter !== undefined) queue.delete(waiter)
    return waiter
  }

  #createSlot(): Slot {
    let held: Held | undefined
    let isYielding = false
    let isOver = false
    return {
      hold: (waitMs, yieldNow) => {
        const end = (): void => {
          isYielding = true
          this.#yielding++
          yieldNow()
        }
        held = { since: this.#options.clock.monotonic(), waitMs, yieldNow: end }
        this.#held.add(held)
        this.#makeRoom()
      },
      answered: () => {
        if (this.#isFeeling && this.#inUse >= this.#limit) this.#limit = Math.min(this.#options.limit, this.#limit + 1)
      },
      release: () => {
        if (isOver) return
        isOver = true
        if (held !== undefined) this.#held.delete(held)
        if (isYielding) this.#yielding--
        this.#inUse--
        this.#serve()
      },
    }
  }

  /** Ends held requests for those who wait: at once for first reads, for the others when one was held for its turn. */
  #makeRoom(): void {
    this.#cancelYield?.()
    this.#cancelYield = undefined
    const short = (): number => this.#inUse - this.#held.size
    const wanted = Math.min(this.#firsts.size, Math.ceil(this.#limit / 8))
    for (const held of this.#held) {
      if (short() >= wanted) break
      this.#end(held)
    }
    if (this.waiting > this.#yielding) this.#endOverdue()
  }

  /** Requests that were sent while there was room for all may be held much longer than a turn is now. */
  #endOverdue(): void {
    const { clock } = this.#options
    const turnMs = this.waitMs()
    for (const held of this.#held) {
      if (held.waitMs <= turnMs * 1.5) continue
      const leftMs = held.since + turnMs - clock.monotonic()
      if (leftMs > 0) {
        this.#cancelYield = clock.after(leftMs, () => this.#makeRoom())
        return
      }
      this.#end(held)
      if (this.waiting <= this.#yielding) return
    }
  }

  #end(held: Held): void {
    this.#held.delete(held)
    held.yieldNow()
  }
}
