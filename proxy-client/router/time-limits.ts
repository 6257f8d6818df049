// How long one request may take until the head of its response: by configuration, and by the deadline that it came with.
// Made only for requests that have a limit.
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Deadline, deadlineAfter, formatDeadline, stricter } from '../context/deadline.ts'
import type { Service } from '../service/service.ts'
import type { Timeout } from '../timeout/timeout-queue.ts'

export interface TimeLimitsOptions {
  readonly clock: Clock
  readonly service: Service
  /** What the request came with. */
  readonly deadline: Deadline | undefined
  /** Called at most once. */
  readonly onOver: (which: 'timeout' | 'deadline') => void
}

/** A timer reaches no further. */
const maxTimerMs = 2 ** 31 - 1

export class TimeLimits {
  /** The value of l5d-ctx-deadline for the upstream. */
  readonly text: string
  /** Which of the two ends first. */
  readonly strictest: 'timeout' | 'deadline'
  readonly #clock: Clock
  /** By the clock that nobody sets: a step of the other one moves no limit of a request in progress. */
  readonly #endsAt: number
  readonly #total: Timeout | undefined
  readonly #cancel: Cancel | undefined

  constructor({ clock, service, deadline, onOver }: TimeLimitsOptions) {
    const { totalTimeouts, totalTimeoutMs } = service
    const now = clock.now()
    const own = totalTimeoutMs === undefined ? undefined : deadlineAfter(now, totalTimeoutMs)
    const strictest = own !== undefined && deadline !== undefined ? stricter(own, deadline) : (own ?? deadline)
    this.text = strictest === undefined ? '' : formatDeadline(strictest)
    this.#total = totalTimeouts?.create(() => onOver('timeout'))
    this.#total?.start()
    const leftMs = deadline === undefined ? maxTimerMs : Math.max(0, deadline.endsAt - now)
    this.#clock = clock
    this.#endsAt = clock.monotonic() + Math.min(leftMs, totalTimeoutMs ?? maxTimerMs)
    this.strictest = totalTimeoutMs !== undefined && totalTimeoutMs <= leftMs ? 'timeout' : 'deadline'
    // Some clients send the end of time for no deadline.
    this.#cancel = leftMs < maxTimerMs ? clock.after(leftMs, () => onOver('deadline')) : undefined
  }

  /** Milliseconds; its timer may run a little later than when none is left. */
  get leftMs(): number {
    return this.#endsAt - this.#clock.monotonic()
  }

  /** Harmless when called twice. */
  stop(): void {
    this.#total?.stop()
    this.#cancel?.()
  }
}
