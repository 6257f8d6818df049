// Makes the parts of a client and of a service from what the configuration says of its name: once for each, never per request.
import type { Path } from '../../naming/path.ts'
import type { Clock, Random } from '../../watch/clock.ts'
import { createAccrual } from '../accrual/create-accrual.ts'
import { createBalancer } from '../balancer/create-balancer.ts'
import { classifierFor } from '../classifier/http-classifiers.ts'
import type { ClientParts } from '../client/bound-client.ts'
import type { HeadLimits } from '../http1/message.ts'
import type { SocketPoolOptions } from '../pool/socket-pool.ts'
import type { UpstreamFactory } from '../pool/upstream.ts'
import type { UpstreamSet } from '../pool/upstream-set.ts'
import { createBackoff } from '../retry/backoff.ts'
import { createRetryBudget } from '../retry/retry-budget.ts'
import type { ServiceParts } from '../service/service.ts'
import type { Settings } from '../settings/create-settings.ts'
import type { RouterTelemetry } from '../telemetry/stats.ts'
import type { TimeoutQueues } from '../timeout/timeout-queues.ts'

/** What all clients and services of a router share. */
export interface PartSources {
  readonly settings: Settings
  readonly clock: Clock
  readonly random: Random
  readonly upstreams: UpstreamSet
  /** Of the heads of responses. */
  readonly limits: HeadLimits
  /** Told of an error of our own that cost a connection to an endpoint. */
  readonly onCrash: (error: unknown) => void
  /** Makes the pools of one client. */
  readonly createPools: (options: SocketPoolOptions) => UpstreamFactory
  readonly timeouts: TimeoutQueues
  readonly telemetry: RouterTelemetry
}

export function createClientParts(id: Path, idText: string, sources: PartSources): ClientParts {
  const { settings, clock, random, upstreams, createPools, limits, onCrash, timeouts, telemetry } = sources
  const { loadBalancer, failureAccrual, requeueBudget, requestAttemptTimeoutMs, ...pool } =
    settings.clientSettingsFor(id)
  const stats = telemetry.client(idText)
  const createPool = createPools({ ...pool, limits, clock, onCrash })
  return {
    stats,
    requeueBudget: createRetryBudget(requeueBudget, clock),
    attemptTimeoutMs: requestAttemptTimeoutMs,
    attemptTimeouts: requestAttemptTimeoutMs === undefined ? undefined : timeouts.of(requestAttemptTimeoutMs),
    balancer: createBalancer(loadBalancer, {
      random,
      clock,
      accrual: createAccrual(failureAccrual, { random, clock }),
      onAccrual: stats,
      open: endpoint => upstreams.open(createPool, endpoint),
      close: upstreams.close,
    }),
  }
}

export function createServiceParts(path: Path, text: string, sources: PartSources): ServiceParts {
  const { settings, clock, random, timeouts, telemetry } = sources
  const { responseClassifier, retries, totalTimeoutMs } = settings.serviceSettingsFor(path)
  return {
    stats: telemetry.service(text),
    classify: classifierFor(responseClassifier),
    budget: createRetryBudget(retries.budget, clock),
    createBackoff: () => createBackoff(retries.backoff, random),
    totalTimeoutMs,
    totalTimeouts: totalTimeoutMs === undefined ? undefined : timeouts.of(totalTimeoutMs),
  }
}
