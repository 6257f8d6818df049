// Looks after what peers do not take: how much there may be of it on a connection and in all, and who is reset for it. Knows no
// protocol.
import type { Http2Session } from 'node:http2'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { SendBudget } from './send-budget.ts'
import type { WorkQueue } from './work-queue.ts'

/** Who may have something unsent. */
export interface UnsentHolder {
  /** Bytes that the transport has not taken; 0 when it waits for nothing. */
  readonly unsentBytes: number
  /** Since when it takes nothing of them, on the monotonic clock. */
  readonly unsentSince: number
  /** Whether others wait for the room that it takes, on its connection or in all. */
  readonly isCrowding: boolean
  /** Gives all of it up. */
  reset(): void
}

/** deadline: took nothing for too long. budget: took nothing while others waited for the room. */
export type ResetReason = 'deadline' | 'budget'

export interface UnsentLimits {
  /** How long a peer may take nothing while there is something for it; milliseconds. */
  readonly deadlineMs: number
  /** Bytes on their way over one connection, and in all; streams beyond wait. */
  readonly perConnection: number
  readonly perThread: number
}

export interface UnsentWatchOptions {
  readonly clock: Clock
  readonly queue: WorkQueue
  readonly limits: UnsentLimits
  readonly onReset: (reason: ResetReason) => void
}

/** It is looked so often within the deadline, and who took nothing between two looks may be reset to make room. */
const looks = 8

export class UnsentWatch {
  readonly #options: UnsentWatchOptions
  readonly #holders = new Set<UnsentHolder>()
  readonly #budget: SendBudget
  readonly #budgets = new WeakMap<Http2Session, SendBudget>()
  #cancelLook: Cancel | undefined

  constructor(options: UnsentWatchOptions) {
    this.#options = options
    this.#budget = new SendBudget({ queue: options.queue, limit: options.limits.perThread })
  }

  /** On their way to all peers. */
  get bytes(): number {
    return this.#budget.bytes
  }

  /** Streams that wait until others are taken, those left out that wait for their own connection. */
  get waiting(): number {
    return this.#budget.waiting
  }

  /** The budget of a connection; the same one each time. */
  budgetOf(session: Http2Session): SendBudget {
    const known = this.#budgets.get(session)
    if (known !== undefined) return known
    const { queue, limits } = this.#options
    const budget = new SendBudget({ queue, limit: limits.perConnection, whole: this.#budget })
    this.#budgets.set(session, budget)
    return budget
  }

  /** Watches over it until `delete`. */
  add(holder: UnsentHolder): void {
    this.#holders.add(holder)
    this.#cancelLook ??= this.#options.clock.after(this.#lookMs, this.#look)
  }

  delete(holder: UnsentHolder): void {
    this.#holders.delete(holder)
    if (this.#holders.size === 0) this.close()
  }

  /** No more looks until something is added. */
  close(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
  }

  get #lookMs(): number {
    return this.#options.limits.deadlineMs / looks
  }

  readonly #look = (): void => {
    this.#cancelLook = this.#options.clock.after(this.#lookMs, this.#look)
    const now = this.#options.clock.monotonic()
    for (const holder of this.#stoppedSince(now - this.#options.limits.deadlineMs)) this.#reset(holder, 'deadline')
    const crowding = this.#stoppedSince(now - this.#lookMs).filter(({ isCrowding }) => isCrowding)
    for (const holder of crowding.sort((a, b) => a.unsentSince - b.unsentSince))
      if (holder.isCrowding) this.#reset(holder, 'budget')
  }

  #stoppedSince(since: number): UnsentHolder[] {
    return [...this.#holders].filter(({ unsentBytes, unsentSince }) => unsentBytes > 0 && unsentSince <= since)
  }

  #reset(holder: UnsentHolder, reason: ResetReason): void {
    this.#options.onReset(reason)
    holder.reset()
  }
}
