// Makes the accrual of each endpoint from what the configuration says.
import type { Clock, Random } from '../../watch/clock.ts'
import { type Backoff, type BackoffSchedule, createBackoff } from '../retry/backoff.ts'
import type { CreateAccrual, FailureAccrual } from './accrual.ts'
import type { AccrualConfig } from './accrual-config.ts'
import { ConsecutiveFailures } from './consecutive-failures.ts'
import { createSuccessRate, createWindowedSuccessRate } from './success-rate.ts'

/** linkerd's: long enough for a restart, at the end often enough for somebody who waits. */
const defaultBackoff: BackoffSchedule = { kind: 'equalJittered', minMs: 5_000, maxMs: 300_000 }

/** Goes on whatever happens; holds nothing, so that one serves all. */
const neverLeftAlone: FailureAccrual = {
  succeeded: () => {},
  failed: () => undefined,
  probeFailed: () => 0,
  revived: () => {},
}

interface AccrualOptions {
  readonly random: Random
  readonly clock: Clock
}

export function createAccrual(config: AccrualConfig, { random, clock }: AccrualOptions): CreateAccrual {
  if (config.kind === 'none') return () => neverLeftAlone
  const { backoff: schedule = defaultBackoff } = config
  const backoff = (): Backoff => createBackoff(schedule, random)
  switch (config.kind) {
    case 'io.l5d.consecutiveFailures':
      return () => new ConsecutiveFailures(config.failures, backoff())
    case 'io.l5d.successRate':
      return () => createSuccessRate({ required: config.successRate, window: config.requests, backoff: backoff() })
    case 'io.l5d.successRateWindowed': {
      const window = config.window * 1000
      return () => createWindowedSuccessRate({ required: config.successRate, window, backoff: backoff() }, clock)
    }
  }
}
