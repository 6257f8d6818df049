// What is said of one source, from the reports of its names and what its guard holds. Pure.
import type { SourceNameState, SourceState, SourceSummary } from '../api/sources.ts'
import type { HeldName } from '../interpreters/namer.ts'
import type { SourceReport } from '../watch/cell.ts'
import { HeldSince } from './held-since.ts'
import { commonErrors } from './source-groups.ts'

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
    const since = heldSince.take(report.name)
    const state = since === undefined ? report.state : 'held'
    counts[state]++
    observers += watchersOf(report, since)
    if (state === 'stale' || state === 'failed') failing.push(report)
  }
  counts.held = held?.length ?? 0
  counts.total = reports.length + heldSince.left().length
  const [error] = commonErrors(
    failing.flatMap(({ lastError }) => lastError ?? []),
    1,
  )
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
    ...known('lastError', error),
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

function stateOf(counts: Readonly<Record<SourceNameState | 'total', number>>): SourceState {
  if (counts.held > 0) return 'held'
  if (counts.stale + counts.failed > 0) return 'degraded'
  if (counts.total === 0) return 'idle'
  return counts.ok === 0 ? 'pending' : 'ok'
}

/** Without the guard, which observes what it holds. */
export function watchersOf({ observers }: SourceReport, heldSince: number | undefined): number {
  return heldSince === undefined ? observers : Math.max(0, observers - 1)
}

/** Since it was heard or, if never, opened. */
export function ageOf({ contactAt, openedAt }: SourceReport, now: number): number {
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
export function known<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V } // a computed key widens to string
}
