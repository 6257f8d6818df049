// Everything for one logical name: how its answers are judged, how often they are tried again, how long all may take.
// Knows neither bindings nor endpoints.
import type { Path } from '../../naming/path.ts'
import type { Classifier } from '../classifier/classifier.ts'
import type { Backoff } from '../retry/backoff.ts'
import type { RetryBudget } from '../retry/retry-budget.ts'
import type { ServiceStats } from '../telemetry/stats.ts'
import type { TimeoutQueue } from '../timeout/timeout-queue.ts'

/** What a service is made of, by the settings of its name. */
export interface ServiceParts {
  readonly classify: Classifier
  readonly budget: RetryBudget
  /** One sequence of waits between the tries of one request. */
  readonly createBackoff: () => Backoff
  /** For all attempts of a request together; absent for no limit. */
  readonly totalTimeouts: TimeoutQueue | undefined
  readonly totalTimeoutMs: number | undefined
  readonly stats: ServiceStats
}

export class Service {
  readonly path: Path
  readonly text: string
  /** Bindings of the name, one for each local dtab. */
  users = 0
  readonly classify: Classifier
  readonly budget: RetryBudget
  readonly createBackoff: () => Backoff
  readonly totalTimeouts: TimeoutQueue | undefined
  readonly totalTimeoutMs: number | undefined
  readonly stats: ServiceStats

  constructor(path: Path, text: string, parts: ServiceParts) {
    this.path = path
    this.text = text
    this.classify = parts.classify
    this.budget = parts.budget
    this.createBackoff = parts.createBackoff
    this.totalTimeouts = parts.totalTimeouts
    this.totalTimeoutMs = parts.totalTimeoutMs
    this.stats = parts.stats
  }
}
