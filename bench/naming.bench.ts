// Figures of the dtab language: lookup, parse and re-indexing at 10, 1,000 and 50,000 entries, beside Finagle's.

import { changedPrefixes } from '../naming/dtab-diff.ts'
import { dtabHash } from '../naming/dtab-hash.ts'
import { createLookupIndex } from '../naming/lookup-index.ts'
import { parseDtab } from '../naming/parse.ts'
import type { Path } from '../naming/path.ts'
import { orThrow } from '../naming/result.ts'
import { showDtab } from '../naming/show.ts'
import { median, printTable } from './measure.ts'

const sizes = [10, 1_000, 50_000]
const rounds = 5
const roundMs = 150

/** Finagle 21.4 on a warm JVM, 2 shared cores; it was not measured at 50,000. */
const finagle: Readonly<Record<number, { readonly lookup: string; readonly parse: string }>> = {
  10: { lookup: '4,700,000', parse: '453,000' },
  1000: { lookup: '65,000', parse: '2,200' },
}

/** A table in which a tenth of the prefixes has a wildcard and a path matches one to four entries. */
function benchText(size: number): string {
  const lines = ['/svc => /host', '/host => /#/io.l5d.fs']
  for (let i = lines.length; i < size; i++) {
    const group = Math.floor(i / 10)
    if (i % 10 === 9) lines.push(`/host/*/v${group} => /#/io.l5d.fs/any-${group}`)
    else if (i % 10 === 8) lines.push(`/svc/name-${i - 1}/v${group} => 0.9*/host/name-${i} & 0.1*/host/name-${i + 1}`)
    else lines.push(`/svc/name-${i} => /host/name-${i}-canary | /host/name-${i}`)
  }
  return lines.join(';\n')
}

/** Paths that match one to four entries, spread over the table. */
function benchPaths(size: number): Path[] {
  const count = Math.min(size, 1_000)
  return Array.from({ length: count }, (_, n) => {
    const i = Math.floor((n * size) / count)
    const group = Math.floor(i / 10)
    return n % 4 === 3 ? ['host', `name-${i}`, `v${group}`] : ['svc', `name-${i}`, `v${group}`]
  })
}

/** CPU time of all threads of this process, so that a busy machine does not distort and collecting garbage counts. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Calls per CPU second: the median of some rounds, after one to warm up. `run` does `batch` calls. */
function rate(batch: number, run: () => void): number {
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const start = cpuMs()
    let calls = 0
    while (cpuMs() - start < roundMs) {
      run()
      calls += batch
    }
    if (round > 0) rates.push((calls / (cpuMs() - start)) * 1_000)
  }
  return median(rates)
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function lookupRow(size: number): Record<string, string> {
  const index = createLookupIndex(orThrow(parseDtab(benchText(size))))
  const paths = benchPaths(size)
  const matches = paths.reduce((sum, path) => sum + index.matches(path).length, 0) / paths.length
  const perSecond = rate(paths.length, () => {
    for (const path of paths) index.lookup(path)
  })
  return {
    what: `lookup, ${whole(size)} entries`,
    'ours/s': whole(perSecond),
    'Finagle/s': finagle[size]?.lookup ?? '-',
    'matches a lookup': matches.toFixed(2),
    'ns a match': whole(1e9 / perSecond / matches),
  }
}

function parseRow(size: number): Record<string, string> {
  const text = showDtab(orThrow(parseDtab(benchText(size))))
  const perSecond = rate(1, () => {
    parseDtab(text)
  })
  return {
    what: `parse, ${whole(size)} entries`,
    'ours/s': perSecond < 100 ? perSecond.toFixed(1) : whole(perSecond),
    'Finagle/s': finagle[size]?.parse ?? '-',
    'entries/s': whole(perSecond * size),
  }
}

/** An edit of one entry in the middle, as a server meets it: a new text. */
function editRow(size: number): Record<string, string> {
  const text = benchText(size)
  const editedText = text.replace(`/name-${size >> 1} =>`, '/edited =>')
  const before = orThrow(parseDtab(text))
  const after = orThrow(parseDtab(editedText, before))
  const index = createLookupIndex(before)
  const ms = (run: () => void): string => (1_000 / rate(1, run)).toFixed(2)
  return {
    what: `edit one of ${whole(size)}`,
    'compile all ms': ms(() => createLookupIndex(before)),
    'parse edit ms': ms(() => parseDtab(editedText, before)),
    're-index ms': ms(() => createLookupIndex(after, index)),
    'diff ms': ms(() => changedPrefixes(before, after)),
    'hash ms': ms(() => dtabHash(after)),
  }
}

/** Prints the table. Takes about half a minute. */
export function run(): void {
  console.log('the dtab language, per second of CPU time of one core')
  for (const rowOf of [lookupRow, parseRow, editRow]) {
    const rows = sizes.map(rowOf)
    console.log()
    printTable([Object.keys(rows[0] ?? {}), ...rows.map(row => Object.values(row))])
  }
}

if (import.meta.main) run()
