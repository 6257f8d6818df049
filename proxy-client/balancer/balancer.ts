// The contract of a balancer: it holds the endpoints of one bound id and picks one for each request. Knows no protocol.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Clock, Random } from '../../watch/clock.ts'
import type { CreateAccrual } from '../accrual/accrual.ts'

/** How a request to an endpoint ended. refused: nothing was sent; aborted: its client left, which says nothing of the endpoint. */
export type Outcome = 'success' | 'failure' | 'refused' | 'aborted'

/** One endpoint lent to one request. */
export interface Pick<T> {
  readonly target: T
  readonly endpoint: Endpoint
  /**
   * The answer has begun, and is as `outcome` says. From here on a dead endpoint that answers well lives, and what follows says
   * nothing of its latency, so that a stream without an end keeps nobody waiting. Who does not call it is judged by `release`.
   */
  answered(outcome: 'success' | 'failure'): void
  /** Ends the loan; the holder calls it once, and calls after the first do nothing. */
  release(outcome: Outcome): void
}

/** What /state shows of one endpoint. */
export interface MemberReport {
  readonly address: string
  readonly weight: number
  /** Requests that it works on now. */
  readonly load: number
  /**
   * open: it takes requests; dead: left alone after failures; probing: one request is with it to see whether it lives;
   * leaving: not in the set any more, kept on probation until it fails.
   */
  readonly state: 'open' | 'dead' | 'probing' | 'leaving'
  /** Estimated latency in milliseconds, where the balancer goes by it. */
  readonly latencyMs?: number
}

/** T is what an endpoint means to the caller, such as its connections. */
export interface Balancer<T> {
  /** Replaces the endpoints: those that stay keep their target and load, new ones are opened, others closed. */
  update(endpoints: readonly Endpoint[]): void
  /**
   * An endpoint whose target is not in `avoid`, a dead one only when no other is left; undefined when there is none. Once its
   * back-off is over a dead endpoint gets one request, a probe; never one with `avoid`, for that was tried before. When all are
   * dead they share the requests, so that a set of one is not shut out, and the first success revives.
   */
  pick(avoid?: readonly T[]): Pick<T> | undefined
  readonly size: number
  targets(): Iterable<T>
  report(): readonly MemberReport[]
  /** Closes every target; picks that are out stay valid until they are released. */
  close(): void
}

/** Told of what failure accrual decides. */
export interface AccrualEvents {
  removed(): void
  probed(): void
  revived(): void
}

export interface BalancerOptions<T> {
  readonly random: Random
  readonly clock: Clock
  /** Absent: endpoints are never left alone. */
  readonly accrual?: CreateAccrual
  readonly onAccrual?: AccrualEvents
  /** Called once when an endpoint joins; must not connect yet. */
  readonly open: (endpoint: Endpoint) => T
  /** Called once when it has left; what runs on it may finish. */
  readonly close: (target: T) => void
}
