// What all threads have counted, those that are gone included. Knows neither how a thread is asked nor who shows it.
import { countsOf, type MetricsSnapshot } from '../../runtime/metrics.ts'

/** What is asked of a thread. */
interface Counting {
  /** All that it has counted, as it told last. */
  readonly metrics: MetricsSnapshot
  /** Has it tell anew; resolves also when it does not. */
  count(signal: AbortSignal): Promise<void>
}

export class ThreadCounts {
  #past: Promise<MetricsSnapshot> = Promise.resolve([])

  /** The thread counts no more; what it told last stays counted. */
  keep(gone: Pick<Counting, 'metrics'>): void {
    this.#past = this.#past.then(past => countsOf([past, gone.metrics]))
  }

  /** A thread that does not tell before the signal aborts is shown as it was, and so is one that ends meanwhile. */
  async collect(threads: readonly Counting[], signal: AbortSignal): Promise<readonly MetricsSnapshot[]> {
    // As of now: one of these threads that ends while it is asked would be counted twice.
    const past = this.#past
    await Promise.all(threads.map(thread => thread.count(signal)))
    return [await past, ...threads.map(({ metrics }) => metrics)]
  }
}
