// How a metric of ours is written: under its full name, with one sample for each scope. Knows no metric.
import { cumulativeCounts, quantileMs, resultCounts, totalCount } from './latency-figures.ts'
import type { Labels, PrometheusText } from './prometheus-text.ts'
import type { LatencySnapshot, RequestsSnapshot } from './snapshot.ts'

/** In the order in which counts of ended requests stand for each class of status. */
export const results = ['success', 'failure', 'abandoned'] as const
const quantiles = [0.5, 0.95, 0.99]

export type Sampled = readonly (readonly [labels: Labels, value: number])[]

/** A counter or gauge; `name` without `nameplane_proxy_`. */
export function write(
  text: PrometheusText,
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  samples: Sampled,
): void {
  const full = `nameplane_proxy_${name}`
  text.metric(full, type, help)
  for (const [labels, value] of samples) text.sample(full, labels, value)
}

/** Ended requests of one scope. */
export function resultSamples(labels: Labels, requests: RequestsSnapshot): Sampled {
  const counts = resultCounts(requests)
  return results.map(result => [{ ...labels, result }, counts[result]])
}

/** One histogram of several latencies together; `boundsMs` are of `coarseBounds`. */
export function writeHistogram(
  text: PrometheusText,
  name: string,
  labels: Labels,
  latencies: readonly LatencySnapshot[],
  boundsMs: readonly number[],
): void {
  const cumulated = latencies.map(latency => cumulativeCounts(latency, boundsMs))
  for (const [i, bound] of boundsMs.entries()) {
    const count = cumulated.reduce((sum, counts) => sum + (counts[i] ?? 0), 0)
    text.sample(`${name}_bucket`, { ...labels, le: String(bound / 1000) }, count)
  }
  const count = latencies.reduce((sum, latency) => sum + totalCount(latency), 0)
  text.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
  text.sample(`${name}_sum`, labels, latencies.reduce((sum, { sumMs }) => sum + sumMs, 0) / 1000)
  text.sample(`${name}_count`, labels, count)
}

/** Quantiles of this minute and the last; sums of all time. */
export function writeSummary(
  text: PrometheusText,
  name: string,
  help: string,
  scopes: readonly (readonly [labels: Labels, latency: LatencySnapshot])[],
): void {
  const full = `nameplane_proxy_${name}`
  text.metric(full, 'summary', help)
  for (const [labels, latency] of scopes) {
    for (const quantile of quantiles) {
      const ms = quantileMs(latency, quantile)
      text.sample(full, { ...labels, quantile: String(quantile) }, ms === undefined ? Number.NaN : ms / 1000)
    }
    text.sample(`${full}_sum`, labels, latency.sumMs / 1000)
    text.sample(`${full}_count`, labels, totalCount(latency))
  }
}
