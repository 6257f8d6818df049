// The process's metric registry, in Prometheus' text form. Labels are bounded: never a path, a host or a namespace.
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

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
  /** What becomes of the values of several threads; their sum when absent. */
  readonly across?: 'sum' | 'max'
}

/** Makes metrics; a name asked for twice gives the same metric. Durations are in seconds. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>
  histogram<L extends string = never>(options: MetricOptions<L> & { readonly buckets: readonly number[] }): Histogram<L>
  /** The exposition text and its content type: with the metrics of all who joined. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>
  /** All values as they are now, to be sent to another thread. */
  snapshot(): Promise<MetricsSnapshot>
  /**
   * Asks for further values at each exposition, until what this returns is called. Values of one name and labels become one:
   * their sum, of gauges what they say themselves.
   */
  join(snapshots: () => Promise<readonly MetricsSnapshot[]>): () => void
}

/** Opaque, and can be cloned. */
export type MetricsSnapshot = readonly object[]

/** What was counted in snapshots that will grow no more, in one. */
export async function countsOf(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const metrics = await AggregatorRegistry.aggregate([...snapshots]).getMetricsAsJSON()
  // The library gives the type as the text that its exposition has, whatever its types say.
  return metrics.filter(({ type }) => ['counter', 'histogram'].includes(String(type)))
}

export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const joined = new Set<() => Promise<readonly MetricsSnapshot[]>>()
  const snapshot = async (): Promise<MetricsSnapshot> => await registry.getMetricsAsJSON()
  const merged = async (): Promise<Registry> => {
    const others = await Promise.all([...joined].map(snapshots => snapshots()))
    return AggregatorRegistry.aggregate([(await snapshot()).map(keptAlone), ...others.flat()])
  }
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
    expose: async () => {
      const all = joined.size === 0 ? registry : await merged()
      return { contentType: registry.contentType, body: await all.metrics() }
    },
    snapshot,
    join: snapshots => {
      joined.add(snapshots)
      return () => joined.delete(snapshots)
    },
  }
}

/** The library drops what would make no sense of several processes, such as the start; only this one has such values. */
function keptAlone(metric: object): object {
  return 'aggregator' in metric && metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric
}

function createGauge<L extends string>(
  shared: { name: string; help: string; labelNames: L[]; registers: Registry[] },
  { collect: read, collectEach: readEach, across = 'sum' }: GaugeOptions<L>,
): Gauge<L> {
  const options = { ...shared, aggregator: across }
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
