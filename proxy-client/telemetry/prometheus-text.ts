// Prometheus' text form (exposition format 0.0.4), written sample by sample. Knows no metric.

export type Labels = Readonly<Record<string, string>>
type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

export class PrometheusText {
  readonly #lines: string[] = []

  /** Begins a metric; its samples have to follow before the next one begins. */
  metric(name: string, type: MetricType, help: string): void {
    this.#lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`, `# TYPE ${name} ${type}`)
  }

  sample(name: string, labels: Labels, value: number): void {
    this.#lines.push(`${name}${labelText(labels)} ${showNumber(value)}`)
  }

  toString(): string {
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`
  }
}

function labelText(labels: Labels): string {
  const shown = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return shown.length === 0 ? '' : `{${shown.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}

function showNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
