// Figures of the dtab language: lookup, parse and re-indexing at 10, 1,000 and 50,000 entries, beside Finagle's.
import type { Dtab } from '../naming/dtab.ts'
import { dtabHash } from '../naming/dtab.ts'
import { changedPrefixes } from '../naming/dtab-diff.ts'
import { createLookupIndex } from '../naming/lookup-index.ts'
import { parseDentry, parseDtab } from '../naming/parse.ts'
import type { Path } from '../naming/path.ts'
import { orThrow } from '../naming/result.ts'
import { showDtab } from '../naming/show.ts'

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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** Calls a second: the median of some rounds, after one to warm up. `run` does `batch` calls. */
function rate(batch: number, run: () => void): number {
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now()
    let calls = 0
    while (performance.now() - start < roundMs) {
      run()
      calls += batch
    }
    if (round > 0) rates.push((calls / (performance.now() - start)) * 1_000)
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

/** An edit of one entry in the middle, as a server meets it: new text, parsed afresh. */
function editRow(size: number): Record<string, string> {
  const before = orThrow(parseDtab(benchText(size)))
  const after: Dtab = orThrow(parseDtab(benchText(size))).with(
    size >> 1,
    orThrow(parseDentry('/svc/edited => /host/x')),
  )
  const index = createLookupIndex(before)
  const ms = (run: () => void): string => (1_000 / rate(1, run)).toFixed(2)
  return {
    what: `edit one of ${whole(size)}`,
    'compile all ms': ms(() => createLookupIndex(before)),
    're-index ms': ms(() => createLookupIndex(after, index)),
    'diff ms': ms(() => changedPrefixes(before, after)),
    'hash ms': ms(() => dtabHash(after)),
  }
}

/** Prints the table. Takes about half a minute. */
export function run(): void {
  console.log('naming: lookup and parse per second, cost of an edit')
  console.table(sizes.map(lookupRow))
  console.table(sizes.map(parseRow))
  console.table(sizes.map(editRow))
}

if (import.meta.main) run()
