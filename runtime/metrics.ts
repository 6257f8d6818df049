// The process's metric registry, in Prometheus' text form. Labels are bounded: never a path, a host or a namespace.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface MetricOptions<L extends string> {
  readonly name: string
  readonly help: string
  readonly labels?: readonly L[]
}

/** Without one of the two the gauge is set by hand. */
export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Read at each exposition. */
  readonly collect?: () => number
  /** The same for a gauge with labels: every series there is then. */
  readonly collectEach?: () => Iterable<readonly [labels: Readonly<Record<L, string>>, value: number]>
}

/** Makes metrics; a name asked for twice gives the same metric. Durations are in seconds. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>
  histogram<L extends string = never>(options: MetricOptions<L> & { readonly buckets: readonly number[] }): Histogram<L>
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>
}

export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const existing = <M>(name: string, make: () => M): M => (registry.getSingleMetric(name) as M | undefined) ?? make()
  const shared = <L extends string>({ name, help, labels = [] }: MetricOptions<L>) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  })
  return {
    counter: metric => existing(metric.name, () => new Counter(shared(metric))),
    gauge: metric => existing(metric.name, () => createGauge(shared(metric), metric)),
    histogram: metric =>
      existing(metric.name, () => new Histogram({ ...shared(metric), buckets: [...metric.buckets] })),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}

function createGauge<L extends string>(
  options: { name: string; help: string; labelNames: L[]; registers: Registry[] },
  { collect: read, collectEach: readEach }: GaugeOptions<L>,
): Gauge<L> {
  if (read === undefined && readEach === undefined) return new Gauge(options)
  return new Gauge<L>({
    ...options,
    collect(): void {
      if (read !== undefined) this.set(read())
      if (readEach === undefined) return
      this.reset()
      for (const [labels, value] of readEach()) this.set(labels, value)
    },
  })
}
