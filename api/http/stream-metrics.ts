// What the watches of this API count, by kind of stream. Never by name: the series are bounded.
import type { Metrics } from '../../runtime/metrics.ts'

/** What a stream is of; namerd's have their own framing and their own row. */
export type StreamKind =
  | `${'' | 'namerd-'}${'dtabs' | 'dtab' | 'bind' | 'resolve' | 'addr' | 'bound-names'}`
  | 'servers'

/** Told of one stream's reader. */
export interface ReaderMeter {
  /** A newer state replaced one that the reader had not taken yet. */
  conflated(): void
  /** The reader has begun, or ceased, to owe the newest state. */
  behind(by: 1 | -1): void
}

/** The metrics of readers that are slower than what they watch. */
export function createStreamMetrics(metrics: Metrics): (kind: StreamKind) => ReaderMeter {
  const conflated = metrics.counter({
    name: 'http_api_events_conflated_total',
    help: 'States that a slow reader never saw, because a newer one replaced them; by kind of stream.',
    labels: ['stream'],
  })
  const behind = metrics.gauge({
    name: 'http_api_streams_behind',
    help: 'Watches whose reader has not been sent the newest state yet; by kind of stream.',
    labels: ['stream'],
  })
  return kind => ({
    conflated: () => conflated.inc({ stream: kind }),
    behind: by => behind.inc({ stream: kind }, by),
  })
}
