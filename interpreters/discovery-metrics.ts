// The series of names found in backends. Bounded: a label is a kind or a namer's prefix, never a name.
import type { Metrics } from '../runtime/metrics.ts'
import type { Clock } from '../watch/clock.ts'

/** When what is published was heard, and when it happened; both may be unknown. */
export interface Moments {
  /** Monotonic milliseconds. */
  readonly receivedAt?: number
  /** Milliseconds since 1970, by the backend's clock. */
  readonly triggeredAt?: number
}

export interface DiscoveryMetrics {
  /** Something changed for those who watch. */
  published(moments: Moments): void
  /** So many names are held back now. */
  held(count: number): void
  /** A hold began. */
  holdBegan(): void
  /** Holds nothing any more. */
  close(): void
}

const lagBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * The series of one namer. Namers of one kind share the histograms; those under one prefix share the gauge, which adds
 * them up. `source` is the prefix without `/#/`.
 */
export function createDiscoveryMetrics(kind: string, source: string, metrics: Metrics, clock: Clock): DiscoveryMetrics {
  const lag = metrics.histogram({
    name: 'watch_lag_seconds',
    help: "From the first byte of a backend's answer to the publication of what changed.",
    labels: ['kind'],
    buckets: lagBuckets,
  })
  const sourceLag = metrics.histogram({
    name: 'watch_source_lag_seconds',
    help: "From a change by the backend's own clock to its publication.",
    labels: ['kind'],
    buckets: lagBuckets,
  })
  const held = metrics.gauge({
    name: 'source_names_held',
    help: 'Names whose sudden loss of all endpoints is held back.',
    labels: ['source'],
  })
  const holds = metrics.counter({
    name: 'source_mass_empty_total',
    help: 'Times that a sudden loss of many names began to be held back.',
    labels: ['source'],
  })
  let heldNow = 0
  const setHeld = (count: number): void => {
    held.inc({ source }, count - heldNow)
    heldNow = count
  }
  setHeld(0)
  holds.inc({ source }, 0)
  return {
    published: ({ receivedAt, triggeredAt }) => {
      if (receivedAt !== undefined) lag.observe({ kind }, seconds(clock.monotonic() - receivedAt))
      if (triggeredAt !== undefined) sourceLag.observe({ kind }, seconds(clock.now() - triggeredAt))
    },
    held: setHeld,
    holdBegan: () => holds.inc({ source }),
    close: () => setHeld(0),
  }
}

/** Two clocks may differ; what would have happened before its cause counts as no time. */
function seconds(ms: number): number {
  return Math.max(0, ms) / 1000
}
