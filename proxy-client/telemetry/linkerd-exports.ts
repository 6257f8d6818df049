// Linkerd's two forms: metrics.json with its flat keys or as a tree, and Prometheus' text with its names.
import { quantileMs, recentCount, totalCount } from './latency-figures.ts'
import { type LinkerdEntry, type LinkerdValue, linkerdEntries } from './linkerd-metrics.ts'
import { type Labels, PrometheusText } from './prometheus-text.ts'
import type { LatencySnapshot, TelemetrySnapshot } from './snapshot.ts'

export interface MetricsJsonOptions {
  /** With line breaks and indentation. */
  readonly isPretty: boolean
  /** Nested by scope in place of flat keys. */
  readonly isTree: boolean
  /** A scope such as `rt/http/service`; `*` stands for one part. Empty for everything. */
  readonly query: string
}

const statQuantiles = [
  ['min', 0],
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p9990', 0.999],
  ['p9999', 0.9999],
] as const

/** The text of linkerd's /admin/metrics.json. Statistics are of this minute and the last. */
export function metricsJson(snapshot: TelemetrySnapshot, { isPretty, isTree, query }: MetricsJsonOptions): string {
  const wanted = query.split('/').filter(part => part !== '')
  const all = linkerdEntries(snapshot, 'all')
  const entries = wanted.length === 0 ? all : all.filter(({ scope }) => isUnder(scope, wanted))
  if (isTree) return JSON.stringify(treeOf(entries), undefined, isPretty ? 2 : undefined)
  const members = entries.flatMap(entry => flatMembers(entry, isPretty ? ': ' : ':'))
  return isPretty && members.length > 0 ? `{\n  ${members.join(',\n  ')}\n}` : `{${members.join(',')}}`
}

function isUnder(scope: readonly string[], wanted: readonly string[]): boolean {
  const parts = scope.flatMap(part => part.split('/'))
  return wanted.every((part, i) => part === '*' || part === parts[i])
}

/** Written as text, because an object of so many members would take several times as long. */
function flatMembers({ scope, value }: LinkerdEntry, colon: string): string | readonly string[] {
  const key = JSON.stringify(scope.join('/')).slice(0, -1)
  if (value.kind !== 'stat') return `${key}"${colon}${value.value}`
  return statFigures(value.latency).map(([name, figure]) => `${key}.${name}"${colon}${figure}`)
}

interface Tree {
  [part: string]: Tree | number
}

/** Objects without a prototype, so that a scope may have any name. */
function treeOf(entries: readonly LinkerdEntry[]): object {
  const root: Tree = Object.create(null)
  for (const { scope, value } of entries) {
    let at = root
    for (const part of scope) at = branchOf(at, part)
    for (const [name, figure] of leafFigures(value)) at[name] = figure
  }
  return root
}

function branchOf(tree: Tree, part: string): Tree {
  const known = tree[part]
  if (typeof known === 'object') return known
  const made: Tree = Object.create(null)
  tree[part] = made
  return made
}

function leafFigures(value: LinkerdValue): readonly (readonly [string, number])[] {
  if (value.kind !== 'stat') return [[value.kind, value.value]]
  return statFigures(value.latency).map(([name, figure]) => [`stat.${name}`, figure] as const)
}

function statFigures(latency: LatencySnapshot): readonly (readonly [name: string, figure: number])[] {
  const count = recentCount(latency)
  return [
    ['avg', count === 0 ? 0 : rounded(latency.recentSumMs / count)],
    ['count', count],
    ['max', rounded(latency.recentMaxMs)],
    ...statQuantiles.map(([name, share]) => [name, rounded(quantileMs(latency, share) ?? 0)] as const),
    ['sum', rounded(latency.recentSumMs)],
  ]
}

function rounded(figure: number): number {
  return Math.round(figure * 1000) / 1000
}

const prometheusQuantiles = ['0', '0.5', '0.9', '0.95', '0.99', '0.999', '0.9999', '1']

/** Linkerd's names in Prometheus' form, such as `rt:server:requests{rt="http",server="127.0.0.1/4140"}`; `prefix` stands before each. */
export function linkerdPrometheus(snapshot: TelemetrySnapshot, prefix: string): string {
  const byName = new Map<string, (readonly [Labels, LinkerdValue])[]>()
  for (const { scope, value } of linkerdEntries(snapshot, 'series')) {
    const { name, labels } = named(scope)
    const samples = byName.get(name)
    if (samples === undefined) byName.set(name, [[labels, value]])
    else samples.push([labels, value])
  }
  const text = new PrometheusText()
  for (const [name, samples] of byName) {
    for (const [labels, value] of samples) writeSample(text, `${prefix}${name}`, labels, value)
  }
  return text.toString()
}

/** A scope whose names have become labels. */
function named(scope: readonly string[]): { readonly name: string; readonly labels: Labels } {
  const [, rt = '', kind = '', first = '', second = '', ...rest] = scope
  if (kind === 'server') return { name: joined(['rt', kind, ...rest]), labels: { rt, server: `${first}/${second}` } }
  if (kind === 'service' || kind === 'client')
    return { name: joined(['rt', kind, second, ...rest]), labels: { rt, [kind]: first } }
  return { name: joined(['rt', ...scope.slice(2)]), labels: { rt } }
}

function joined(parts: readonly string[]): string {
  return parts.join(':').replace(/[^A-Za-z0-9_:]/g, '_')
}

function writeSample(text: PrometheusText, name: string, labels: Labels, value: LinkerdValue): void {
  if (value.kind !== 'stat') {
    text.sample(name, labels, value.value)
    return
  }
  const { latency } = value
  const count = totalCount(latency)
  text.sample(`${name}_count`, labels, count)
  text.sample(`${name}_sum`, labels, latency.sumMs)
  text.sample(`${name}_avg`, labels, count === 0 ? 0 : latency.sumMs / count)
  for (const quantile of prometheusQuantiles)
    text.sample(name, { ...labels, quantile }, quantileMs(latency, Number(quantile)) ?? 0)
}
