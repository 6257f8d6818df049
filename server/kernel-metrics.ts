// What the kernel counts, as metrics.
import type { Metrics } from '../runtime/metrics.ts'
import type { createKernel } from '../watch/kernel.ts'

/** Registers the gauges; they live as long as the metrics. */
export function gaugeKernel(kernel: ReturnType<typeof createKernel>, metrics: Metrics): void {
  metrics.gauge({ name: 'nameplane_watchers', help: 'Watchers on cells.', collect: () => kernel.counts().watchers })
  metrics.gauge({
    name: 'nameplane_sources_open',
    help: 'Open watches on storage and discovery.',
    collect: () => kernel.counts().openSources,
  })
  metrics.gauge({
    name: 'nameplane_evaluations',
    help: 'Derivations run since the start.',
    collect: () => kernel.counts().evaluations,
  })
  metrics.gauge({
    name: 'nameplane_deliveries',
    help: 'States handed to watchers since the start.',
    collect: () => kernel.counts().deliveries,
  })
  const failing = (): number => kernel.sources().filter(({ state }) => state === 'stale' || state === 'failed').length
  metrics.gauge({ name: 'nameplane_sources_failing', help: 'Sources whose backend fails now.', collect: failing })
}
