// What the configuration says of one logical name, all prefixes that match it laid over each other. Made once per service.
import type { ClassifierConfig } from '../classifier/classifier-config.ts'
import type { RetriesConfig } from '../retry/retry-config.ts'

export interface ServiceSettings {
  readonly responseClassifier: ClassifierConfig
  readonly retries: RetriesConfig
  /** Milliseconds for all attempts together, from the request's head to the head of its response; absent for no limit. */
  readonly totalTimeoutMs: number | undefined
}
