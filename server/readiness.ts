// Decides whether the server may be sent clients, and says why not. Ready too early answers wrongly; never ready helps nobody.
import { type Store, storageGroup } from '../storage/store.ts'
import { type Kernel, relayGroup, type SourceReport } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import { commonErrors, reportsByGroup, sourceId } from './source-groups.ts'

/** ready false always comes with a reason; ready true may come with reasons too: what is stale or still awaited. */
export interface ReadinessReport {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

export interface Readiness {
  report(): ReadinessReport
  /** Runs `then` once, when the server is first ready; never after close. */
  whenReady(then: () => void): void
  close(): void
}

/** What stands in for a store that has not answered; times in ms since 1970. */
export interface ServedSnapshot {
  /** The store's kind. */
  readonly store: string
  readonly since: number
  /** When what is served was last known to be so. */
  readonly savedAt: number
}

export interface ReadinessOptions {
  readonly kernel: Kernel
  readonly store: Store
  /** What is served of a local snapshot now; undefined while nothing is. */
  readonly servedSnapshot?: () => ServedSnapshot | undefined
  readonly clock: Clock
  /** How long an unanswering store or source may hold readiness back, in milliseconds from the start. */
  readonly boundMs: number
  /** What else people should know; it holds nothing back. */
  readonly otherReasons?: () => readonly string[]
  /** Aborted when the server begins to stop. */
  readonly shutdown: AbortSignal
}

/**
 * Ready once the store and every source opened so far have answered, or the bound has passed. A snapshot answers for the
 * store. Names not known yet then answer pending, never neg.
 */
export function createReadiness(options: ReadinessOptions): Readiness {
  const { kernel, store, clock, boundMs, shutdown, servedSnapshot = () => undefined, otherReasons = () => [] } = options
  const startedAt = clock.monotonic()
  let wasReady = false
  let waiters: (() => void)[] = []
  const check = (): boolean => {
    const hasSnapshot = servedSnapshot() !== undefined
    const isExcused = (group: string | undefined): boolean =>
      group === relayGroup || (hasSnapshot && group === storageGroup)
    const isWaiting = (): boolean =>
      kernel.sources().some(({ state, group }) => (state === 'pending' || state === 'failed') && !isExcused(group))
    wasReady ||= !isWaiting() || clock.monotonic() - startedAt >= boundMs
    if (wasReady) for (const tell of waiters.splice(0)) tell()
    return wasReady
  }
  const unwatch = store.list().watch(() => check())
  let cancelLook = (): void => {}
  const lookAgain = (): void => {
    cancelLook = clock.after(lookMs, () => void (check() || lookAgain()))
  }
  lookAgain()
  return {
    report: () => {
      if (shutdown.aborted) return { ready: false, reasons: ['the server is stopping'] }
      return { ready: check(), reasons: [...reasonsFor(kernel, clock, servedSnapshot()), ...otherReasons()] }
    },
    whenReady: then => {
      waiters.push(then)
      check()
    },
    close: () => {
      waiters = []
      cancelLook()
      unwatch()
    },
  }
}

const maxReasons = 20

/** While it is not ready, who waits for that is told so soon after it is, in milliseconds; no cell tells of all sources. */
const lookMs = 250

/** One sentence for each backend that has not answered or fails. */
function reasonsFor(kernel: Kernel, clock: Clock, snapshot: ServedSnapshot | undefined): readonly string[] {
  const reasons: string[] = []
  for (const [group, reports] of reportsByGroup(kernel)) {
    const troubled = reports.filter(({ state }) => state !== 'ok')
    const [first] = troubled
    if (first === undefined) continue
    if (snapshot !== undefined && group === storageGroup) reasons.push(reasonOfSnapshot(snapshot, troubled, clock))
    else
      reasons.push(
        troubled.length === 1 ? reasonOf(first, clock) : reasonOfMany(group, troubled, reports.length, clock),
      )
  }
  if (reasons.length <= maxReasons) return reasons
  return [...reasons.slice(0, maxReasons), `and ${reasons.length - maxReasons} more sources; see /state`]
}

function reasonOfSnapshot(
  { store, since, savedAt }: ServedSnapshot,
  troubled: readonly SourceReport[],
  clock: Clock,
): string {
  const [sinceText, savedText] = [since, savedAt].map(ms => new Date(ms).toISOString())
  const failing = troubled.filter(({ state }) => state === 'failed')
  return `the store ${store} is away since ${sinceText}; serving the local snapshot of ${savedText}${causeOf(failing, clock)}`
}

function reasonOf(source: SourceReport, clock: Clock): string {
  const cause = causeOf([source], clock)
  const ageMs = silenceMs(source, clock)
  if (source.state === 'stale') return `${source.name} is stale, last answer ${timeText(ageMs)} ago${cause}`
  if (source.state === 'failed') return `${source.name} has never answered, failing for ${timeText(ageMs)}${cause}`
  return `${source.name} has not answered yet, waiting for ${timeText(ageMs)}`
}

function reasonOfMany(group: string, troubled: readonly SourceReport[], total: number, clock: Clock): string {
  const inState = (state: SourceReport['state']): readonly SourceReport[] =>
    troubled.filter(source => source.state === state)
  const longest = (sources: readonly SourceReport[]): string =>
    timeText(sources.reduce((ms, source) => Math.max(ms, silenceMs(source, clock)), 0))
  const [stale, failed, waiting] = [inState('stale'), inState('failed'), inState('pending')]
  const parts = [
    ...(stale.length > 0 ? [`${stale.length} are stale, the oldest answer ${longest(stale)} ago`] : []),
    ...(failed.length > 0 ? [`${failed.length} have never answered, failing for up to ${longest(failed)}`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} have not answered yet, waiting for up to ${longest(waiting)}`] : []),
  ]
  return `${sourceId(group)}: of ${total} names ${parts.join('; ')}${causeOf([...stale, ...failed], clock)}`
}

/** The most frequent error and the soonest try. */
function causeOf(failing: readonly SourceReport[], clock: Clock): string {
  const [error] = commonErrors(
    failing.flatMap(({ lastError }) => lastError ?? []),
    1,
  )
  const retryAt = failing
    .flatMap(source => source.retryAt ?? [])
    .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const retry = retryAt === Number.POSITIVE_INFINITY ? '' : `, ${nextTryText(Math.round(retryAt - clock.now()))}`
  return `${error === undefined ? '' : `: ${error.replace(/\.$/, '')}`}${retry}`
}

/** Since it was heard or, if never, opened. */
function silenceMs({ contactAt, openedAt }: SourceReport, clock: Clock): number {
  return clock.now() - (contactAt ?? openedAt)
}

function nextTryText(ms: number): string {
  return ms <= 0 ? 'trying again now' : `next try in ${timeText(ms)}`
}

const units = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit of which there are at least two; milliseconds below ten seconds. */
function timeText(ms: number): string {
  const [unit, size] = ms < 10_000 ? ['ms', 1] : (units.find(([, length]) => ms >= 2 * length) ?? ['ms', 1])
  return `${Math.floor(ms / size)} ${unit}`
}
