// Turns what happens to sources into log lines and metrics: first failure warn, repeats debug, recovery info.
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { SourceEvent } from '../watch/cell.ts'

/** The kernel's onSource for a server. Series are per event, never per source: names of sources are unbounded. */
export function createSourceLog(log: Log, metrics: Metrics): (event: SourceEvent) => void {
  const events = metrics.counter({
    name: 'nameplane_source_events_total',
    help: 'What happened to discovery and storage sources.',
    labels: ['event'],
  })
  return ({ kind, source, error, retryAt }) => {
    events.inc({ event: kind })
    const facts = {
      source,
      ...(error && { error: error.message }),
      ...(retryAt !== undefined && { retryAt: new Date(retryAt).toISOString() }),
    }
    if (kind === 'failed') log.warn(facts, 'a source fails; the last good state is kept')
    else if (kind === 'failed-again') log.debug(facts, 'the source still fails')
    else if (kind === 'recovered') log.info(facts, 'the source is back')
    else log.debug(facts, kind === 'opened' ? 'source opened' : 'source closed')
  }
}
