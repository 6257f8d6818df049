// What is said of one source, from the reports of its names and what its guard holds. Pure.
import type { NamesQuery, SourceName, SourceNameState, SourceState, SourceSummary } from '../api/sources.ts'
import type { HeldName } from '../interpreters/namer.ts'
import type { SourceReport } from '../watch/cell.ts'
import { commonestError } from './source-groups.ts'

/** What a source is, whatever its state. */
export interface SourceIdentity {
  readonly id: string
  readonly kind: string
  readonly prefix?: string
}

export interface SourceFacts {
  readonly reports: readonly SourceReport[]
  /** Absent without a guard. */
  readonly held?: readonly HeldName[]
  /** Ms since 1970. */
  readonly now: number
}

export function summaryOf(identity: SourceIdentity, { reports, held, now }: SourceFacts): SourceSummary {
  const heldSince = new HeldSince(held)
  const counts = { total: 0, ok: 0, pending: 0, stale: 0, failed: 0, held: 0 }
  const failing: SourceReport[] = []
  let observers = 0
  for (const report of reports) {
    const state = heldSince.take(report.name) === undefined ? report.state : 'held'
    counts[state]++
    observers += report.observers
    if (state === 'stale' || state === 'failed') failing.push(report)
  }
  counts.held = held?.length ?? 0
  counts.total = reports.length + heldSince.left().length
  const contactAt = most(reports, report => report.contactAt)
  return {
    ...identity,
    state: stateOf(counts),
    counts,
    observers,
    ...known(
      'changedAt',
      most(reports, report => report.changedAt),
    ),
    ...known('contactAt', contactAt),
    ...known('ageMs', contactAt === undefined ? undefined : now - contactAt),
    ...known(
      'oldestAgeMs',
      most(reports, report => ageOf(report, now)),
    ),
    ...known(
      'failingSince',
      least(failing, report => report.failingSince),
    ),
    ...known('lastError', commonestError(failing.flatMap(({ lastError }) => lastError ?? []))),
    ...known(
      'retryAt',
      least(failing, report => report.retryAt),
    ),
    ...(held && {
      guard: {
        held: held.length,
        ...known(
          'since',
          least(held, ({ since }) => since),
        ),
      },
    }),
  }
}

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
    observers: report.observers,
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

/** What is held, found by the names of sources: a source's name is its kind, a space and the name that the guard knows. */
class HeldSince {
  readonly #left: Map<string, number>

  constructor(held: readonly HeldName[] = []) {
    this.#left = new Map(held.map(({ name, since }) => [name, since]))
  }

  /** Since when it is held; each is found once. */
  take(source: string): number | undefined {
    if (this.#left.size === 0) return undefined
    const name = this.#left.has(source) ? source : source.slice(source.indexOf(' ') + 1)
    const since = this.#left.get(name)
    this.#left.delete(name)
    return since
  }

  left(): readonly HeldName[] {
    return [...this.#left].map(([name, since]) => ({ name, since }))
  }
}

function stateOf(counts: Readonly<Record<SourceNameState | 'total', number>>): SourceState {
  if (counts.held > 0) return 'held'
  if (counts.stale + counts.failed > 0) return 'degraded'
  if (counts.total === 0) return 'idle'
  return counts.ok === 0 ? 'pending' : 'ok'
}

function ageOf({ contactAt, openedAt }: SourceReport, now: number): number {
  return now - (contactAt ?? openedAt)
}

function most<T>(of: readonly T[], value: (each: T) => number | undefined): number | undefined {
  return extreme(of, value, (a, b) => a > b)
}

function least<T>(of: readonly T[], value: (each: T) => number | undefined): number | undefined {
  return extreme(of, value, (a, b) => a < b)
}

/** A loop, because there may be more of them than a call takes arguments. */
function extreme<T>(
  of: readonly T[],
  value: (each: T) => number | undefined,
  isBetter: (a: number, b: number) => boolean,
): number | undefined {
  let best: number | undefined
  for (const each of of) {
    const found = value(each)
    if (found !== undefined && (best === undefined || isBetter(found, best))) best = found
  }
  return best
}

/** A member that is absent while its value is not known. */
function known<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V } // a computed key widens to string
}
