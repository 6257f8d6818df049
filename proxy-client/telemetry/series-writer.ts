// How a metric of ours is written: under its full name, with one sample for each scope. Knows no metric.
import { cumulativeCounts, quantileMs, resultCounts, totalCount } from './latency-figures.ts'
import { type Labels, PrometheusText } from './prometheus-text.ts'
import type { LatencySnapshot, RequestsSnapshot } from './snapshot.ts'

/** In the order in which counts of ended requests stand for each class of status. */
export const results = ['success', 'failure', 'abandoned'] as const
const quantiles = [0.5, 0.95, 0.99]

export type Sampled<V = number> = readonly (readonly [labels: Labels, value: V])[]

/** Names are given without `nameplane_proxy_`. */
export class SeriesWriter {
  readonly #text = new PrometheusText()

  counter(name: string, help: string, samples: Sampled): void {
    this.#plain('counter', name, help, samples)
  }

  gauge(name: string, help: string, samples: Sampled): void {
    this.#plain('gauge', name, help, samples)
  }

  /** Several latencies of one scope add up; `boundsMs` are of `coarseBounds`. */
  histogram(
    name: string,
    help: string,
    boundsMs: readonly number[],
    scopes: Sampled<readonly LatencySnapshot[]>,
  ): void {
    const full = this.#begin('histogram', name, help)
    for (const [labels, latencies] of scopes) {
      const cumulated = latencies.map(latency => cumulativeCounts(latency, boundsMs))
      for (const [i, bound] of boundsMs.entries()) {
        const count = cumulated.reduce((sum, counts) => sum + (counts[i] ?? 0), 0)
        this.#text.sample(`${full}_bucket`, { ...labels, le: String(bound / 1000) }, count)
      }
      const count = latencies.reduce((sum, latency) => sum + totalCount(latency), 0)
      this.#text.sample(`${full}_bucket`, { ...labels, le: '+Inf' }, count)
      this.#text.sample(`${full}_sum`, labels, latencies.reduce((sum, { sumMs }) => sum + sumMs, 0) / 1000)
      this.#text.sample(`${full}_count`, labels, count)
    }
  }

  /** Quantiles are of this minute and the last, sums of all time. */
  summary(name: string, help: string, scopes: Sampled<LatencySnapshot>): void {
    const full = this.#begin('summary', name, help)
    for (const [labels, latency] of scopes) {
      for (const quantile of quantiles) {
        const ms = quantileMs(latency, quantile)
        this.#text.sample(full, { ...labels, quantile: String(quantile) }, ms === undefined ? Number.NaN : ms / 1000)
      }
      this.#text.sample(`${full}_sum`, labels, latency.sumMs / 1000)
      this.#text.sample(`${full}_count`, labels, totalCount(latency))
    }
  }

  toString(): string {
    return this.#text.toString()
  }

  #plain(type: 'counter' | 'gauge', name: string, help: string, samples: Sampled): void {
    const full = this.#begin(type, name, help)
    for (const [labels, value] of samples) this.#text.sample(full, labels, value)
  }

  #begin(type: 'counter' | 'gauge' | 'histogram' | 'summary', name: string, help: string): string {
    const full = `nameplane_proxy_${name}`
    this.#text.metric(full, type, help)
    return full
  }
}

/** Ended requests of one scope by result. */
export function resultSamples(labels: Labels, requests: RequestsSnapshot): Sampled {
  const counts = resultCounts(requests)
  return results.map(result => [{ ...labels, result }, counts[result]])
}
