// One page of a source's names, from their reports and what its guard holds. Pure.
import type { NamesQuery, SourceName } from '../api/sources.ts'
import type { SourceReport } from '../watch/cell.ts'
import { HeldSince } from './held-since.ts'
import { ageOf, known, type SourceFacts, watchersOf } from './source-summary.ts'

/** The first names that the query asks for, sorted, and one more than its limit when there are more. */
export function namesOf(
  { reports, held, now }: SourceFacts,
  { after, limit, state }: NamesQuery,
): readonly SourceName[] {
  const heldSince = new HeldSince(held)
  const found = new Smallest(limit + 1)
  for (const report of reports) {
    const since = heldSince.take(report.name)
    if (after !== undefined && report.name <= after) continue
    if (state === undefined || state === (since === undefined ? report.state : 'held'))
      found.add(report.name, { report, since })
  }
  for (const { name, since } of heldSince.left()) {
    if ((after === undefined || name > after) && (state === undefined || state === 'held')) found.add(name, { since })
  }
  return found
    .sorted()
    .map(({ name, of: { report, since } }) =>
      report === undefined
        ? { name, state: 'held', observers: 0, ...known('heldSince', since) }
        : nameOf(report, since, now),
    )
}

/** What is known of a name before it is shown. */
interface Candidate {
  readonly report?: SourceReport
  readonly since: number | undefined
}

/** The smallest of very many names, without sorting them all. */
class Smallest {
  readonly #count: number
  #kept: { readonly name: string; readonly of: Candidate }[] = []

  constructor(count: number) {
    this.#count = count
  }

  add(name: string, of: Candidate): void {
    this.#kept.push({ name, of })
    if (this.#kept.length >= 2 * this.#count) this.#kept = this.sorted()
  }

  sorted(): { readonly name: string; readonly of: Candidate }[] {
    return this.#kept.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))).slice(0, this.#count)
  }
}

function nameOf(report: SourceReport, heldSince: number | undefined, now: number): SourceName {
  return {
    name: report.name,
    state: heldSince === undefined ? report.state : 'held',
    observers: watchersOf(report, heldSince),
    openedAt: report.openedAt,
    ...known('changedAt', report.changedAt),
    ...known('contactAt', report.contactAt),
    ageMs: ageOf(report, now),
    ...known('version', report.version),
    ...known('failingSince', report.failingSince),
    ...known('lastError', report.lastError),
    ...known('retryAt', report.retryAt),
    ...known('heldSince', heldSince),
  }
}
