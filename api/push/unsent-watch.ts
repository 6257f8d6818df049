// Looks after what peers do not take: how much there may be of it on a connection and in all, and who is reset for it. Knows no
// protocol.
import type { Http2Session } from 'node:http2'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { SendBudget } from './send-budget.ts'
import type { Task, WorkQueue } from './work-queue.ts'

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
/** To reset one takes some 15 microseconds. */
const resetsPerPiece = 64

export class UnsentWatch implements Task {
  readonly #options: UnsentWatchOptions
  readonly #holders = new Set<UnsentHolder>()
  readonly #budget: SendBudget
  readonly #budgets = new WeakMap<Http2Session, SendBudget>()
  #cancelLook: Cancel | undefined
  #lookedAt = 0
  /** Who took nothing since the look before; who has waited longest is the last. */
  #stopped: UnsentHolder[] = []

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
    this.#stopped = []
  }

  /** For the queue: resets some of those who are to be. */
  work(): boolean {
    for (let left = resetsPerPiece; left > 0; left--) {
      const holder = this.#stopped.pop()
      if (holder === undefined) return false
      const reason = this.#reasonToReset(holder)
      if (reason === undefined) continue
      this.#options.onReset(reason)
      holder.reset()
    }
    return true
  }

  get #lookMs(): number {
    return this.#options.limits.deadlineMs / looks
  }

  readonly #look = (): void => {
    const { clock, queue } = this.#options
    this.#cancelLook = clock.after(this.#lookMs, this.#look)
    this.#lookedAt = clock.monotonic()
    this.#stopped = [...this.#holders].filter(holder => this.#hasStopped(holder, this.#lookMs))
    this.#stopped.sort((a, b) => b.unsentSince - a.unsentSince)
    if (this.#stopped.length > 0) queue.add(this)
  }

  #hasStopped({ unsentBytes, unsentSince }: UnsentHolder, forMs: number): boolean {
    return unsentBytes > 0 && unsentSince <= this.#lookedAt - forMs
  }

  #reasonToReset(holder: UnsentHolder): ResetReason | undefined {
    if (this.#hasStopped(holder, this.#options.limits.deadlineMs)) return 'deadline'
    return this.#hasStopped(holder, this.#lookMs) && holder.isCrowding ? 'budget' : undefined
  }
}
