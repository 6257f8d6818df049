// Decides whether the server may be sent clients, and says why not. Ready too early answers wrongly; never ready helps nobody.
import type { Store } from '../storage/store.ts'
import type { Kernel, SourceReport } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'

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

export interface ReadinessOptions {
  readonly kernel: Kernel
  readonly store: Store
  readonly clock: Clock
  /** How long an unanswering store or source may hold readiness back, in milliseconds from the start. */
  readonly boundMs: number
  /** Aborted when the server begins to stop. */
  readonly shutdown: AbortSignal
}

/** Ready once the store and every source opened so far have answered, or the bound has passed; names not known yet then answer pending, never neg. */
export function createReadiness({ kernel, store, clock, boundMs, shutdown }: ReadinessOptions): Readiness {
  const startedAt = clock.monotonic()
  let wasReady = false
  let waiters: (() => void)[] = []
  const check = (): boolean => {
    const waiting = kernel.sources().some(({ state }) => state === 'pending' || state === 'failed')
    wasReady ||= !waiting || clock.monotonic() - startedAt >= boundMs
    if (wasReady) for (const tell of waiters.splice(0)) tell()
    return wasReady
  }
  const unwatch = store.list().watch(() => check())
  const cancelBound = clock.after(boundMs, check)
  return {
    report: () => {
      if (shutdown.aborted) return { ready: false, reasons: ['the server is stopping'] }
      return { ready: check(), reasons: reasonsFor(kernel.sources(), clock) }
    },
    whenReady: then => {
      waiters.push(then)
      check()
    },
    close: () => {
      waiters = []
      cancelBound()
      unwatch()
    },
  }
}

const maxReasons = 20

function reasonsFor(sources: readonly SourceReport[], clock: Clock): readonly string[] {
  const troubled = sources.filter(({ state }) => state !== 'ok')
  const shown = troubled.slice(0, maxReasons).map(source => reason(source, clock))
  return troubled.length > maxReasons
    ? [...shown, `and ${troubled.length - maxReasons} more sources; see /state`]
    : shown
}

function reason(source: SourceReport, clock: Clock): string {
  const error = source.lastError === undefined ? '' : `: ${source.lastError}`
  const retry = source.retryAt === undefined ? '' : `, next try in ${Math.max(0, source.retryAt - clock.now())} ms`
  const ageMs = clock.now() - (source.contactAt ?? source.openedAt)
  if (source.state === 'stale') return `${source.name} is stale, last answer ${ageMs} ms ago${error}${retry}`
  if (source.state === 'failed') return `${source.name} has never answered, failing for ${ageMs} ms${error}${retry}`
  return `${source.name} has not answered yet, waiting for ${ageMs} ms`
}
