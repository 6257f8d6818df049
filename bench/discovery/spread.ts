// How measured times are shown in the tables of the discovery benchmark.
import { percentile } from '../measure.ts'

/** One row of a table: what, measured, wanted, beside. */
export type Row = readonly [string, string, string, string]

/** p50 / p99 / max. */
export function spread(samples: readonly number[]): string {
  const shown = [percentile(samples, 0.5), percentile(samples, 0.99), Math.max(...samples)]
  return `${shown.map(ms => ms.toFixed(1)).join(' / ')} ms`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

export const head: Row = ['what', 'measured', 'wanted', 'beside']
