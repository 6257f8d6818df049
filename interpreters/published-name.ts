// What the cell of one name is told: the newest replica set, and why it is stale when it is. Does not know why a set is published.
import type { ReplicaSet } from '../naming/replica-set.ts'
import { replicaSetEquals } from '../naming/replica-set-equals.ts'
import type { Sink } from '../watch/cell.ts'
import type { DiscoveryMetrics, Moments } from './discovery-metrics.ts'

interface Failure {
  readonly error: Error
  readonly retryAt: number | undefined
}

const unknownMoments: Moments = {}

/** Its owner closes it. */
export class PublishedName {
  readonly #sink: Sink<ReplicaSet>
  readonly #metrics: DiscoveryMetrics
  #shown: ReplicaSet | undefined
  #failure: Failure | undefined
  #doubt: Error | undefined
  #version: string | undefined

  constructor(sink: Sink<ReplicaSet>, metrics: DiscoveryMetrics) {
    this.#sink = sink
    this.#metrics = metrics
  }

  get shown(): ReplicaSet | undefined {
    return this.#shown
  }

  /** Shows a set. An equal one is shown to nobody. */
  publish(set: ReplicaSet, moments: Moments = unknownMoments): void {
    if (this.#shown !== undefined && saysTheSame(this.#shown, set)) return
    this.#shown = set
    this.#restate()
    this.#metrics.published(moments)
  }

  /** The backend answered well: what is shown is fresh, unless it is doubted or the answer has a flaw, which is told once. */
  heard(version: string | undefined, flaw?: Error): void {
    this.#version = version ?? this.#version
    this.#sink.contact(version)
    if (flaw !== undefined && this.#failure?.error.message !== flaw.message) this.fail(flaw, undefined)
    if (flaw !== undefined || this.#failure === undefined) return
    this.#failure = undefined
    // Only a value that is set ends a failure for those who list and log sources; a doubted one is stale again at once.
    if (this.#doubt !== undefined && this.#shown !== undefined) this.#sink.set(this.#shown, this.#version)
    this.#restate()
  }

  fail(error: Error, retryAt: number | undefined): void {
    this.#failure = { error, retryAt }
    this.#sink.fail(this.#why(this.#failure), retryAt)
  }

  /** What is shown is not what the backend says. */
  doubt(reason: Error): void {
    this.#doubt = reason
    this.#restate()
  }

  /** What is shown is what the backend said last. */
  trust(): void {
    if (this.#doubt === undefined) return
    this.#doubt = undefined
    this.#restate()
  }

  /** Says again what is shown, with what is known of its truth now. */
  #restate(): void {
    if (this.#shown === undefined) return
    if (this.#failure !== undefined) this.#sink.setStale(this.#shown, this.#why(this.#failure))
    else if (this.#doubt !== undefined) this.#sink.setStale(this.#shown, this.#doubt)
    else this.#sink.set(this.#shown, this.#version)
  }

  #why({ error }: Failure): Error {
    if (this.#doubt === undefined) return error
    return new Error(`${this.#doubt.message}; its source fails besides: ${error.message}`, { cause: error })
  }
}

/** To people too, who are told why a name is neg. */
function saysTheSame(a: ReplicaSet, b: ReplicaSet): boolean {
  return replicaSetEquals(a, b) && (a.kind === 'neg' ? a.why : '') === (b.kind === 'neg' ? b.why : '')
}
