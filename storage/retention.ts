// Drops old versions, over any store: of the servers that share one, the holder of a lease does it. Works in small steps with
// waits between them, so that neither the event loop nor the backend notices. Which versions may go: retention-rule.ts.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Clock, Random } from '../watch/clock.ts'
import { pause } from '../watch/pause.ts'
import { createJudge, limitsAnything, type RetentionRule } from './retention-rule.ts'
import type { Lease, NamespaceSummary, Store } from './store.ts'

/** The server first does what it was started for; also how long writes of a namespace are gathered before it is looked at. */
const startMs = 30_000
const tickMs = 10_000
/** Between two calls of the store: at most 600 a minute. */
const paceMs = 100
/** What age alone lets go is looked for at most this often. */
const agedEveryMs = 60 * 60 * 1000
const pageSize = 100
const leaseName = 'history'
const leaseTtlMs = 300_000
/** Somebody else sweeps, or the store is away. */
const asideMs = 60_000
/** Until a namespace that could not be swept is tried again. */
const putOffMs = 10 * 60 * 1000

export interface HistorySweeperOptions {
  readonly store: Store
  readonly rule: RetentionRule
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

export interface HistorySweeper {
  /** Ends the work within a call of the store and gives the lease up. Call it before the store is closed. */
  close(): Promise<void>
}

/** Begins after half a minute, and asks for the lease only once there is something to drop; the caller closes it. */
export function createHistorySweeper(options: HistorySweeperOptions): HistorySweeper {
  return new Sweeper(options)
}

/** What is known of a namespace since it was looked at: nothing can go before it reaches this version or this time. */
interface Outlook {
  readonly version: number
  readonly dueAt: number
}

class Sweeper implements HistorySweeper {
  readonly #options: HistorySweeperOptions
  readonly #outlooks = new Map<string, Outlook>()
  readonly #closing = new AbortController()
  readonly #done: Promise<void>
  readonly #forgotten: { inc(count: number): void }
  /** What `now` was when `monotonic` was 0. */
  readonly #startedAt: number
  #lease: Lease | undefined
  #isFailing = false

  constructor(options: HistorySweeperOptions) {
    this.#options = options
    this.#startedAt = options.clock.now() - options.clock.monotonic()
    this.#forgotten = options.metrics.counter({
      name: 'nameplane_versions_forgotten_total',
      help: 'Old versions that this server dropped because of storage.history.',
    })
    this.#done = limitsAnything(options.rule) ? this.#run() : Promise.resolve()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { store } = this.#options
    const unwatch = store.list().watch(() => {})
    await this.#pause(startMs)
    while (!this.#closing.signal.aborted) {
      const isAside = await this.#round()
      await this.#pause(isAside ? asideMs : tickMs)
    }
    unwatch()
    await this.#lease?.release().catch((error: unknown) => this.#failed(error))
  }

  /** Looks at all namespaces in which something may go; true when this server had better wait for long. */
  async #round(): Promise<boolean> {
    const names = this.#due()
    if (names.length === 0) return false
    try {
      if (!(await this.#mayAct())) return true
      for (const name of names) {
        if (!this.#holds()) return true
        await this.#sweep(name).catch((error: unknown) => {
          if (NamingError.from(error).code !== 'store-unavailable') this.#putOff(name)
          throw error
        })
      }
      this.#isFailing = false
      return false
    } catch (error) {
      this.#failed(error)
      return true
    }
  }

  /** The others come first: what cannot be swept shall keep none of them from it. */
  #putOff(namespace: string): void {
    this.#outlooks.set(namespace, { version: Number.POSITIVE_INFINITY, dueAt: this.#now() + putOffMs })
  }

  /** A clock that is set forward while the server runs makes no version older than it is. */
  #now(): number {
    const { clock } = this.#options
    return Math.min(clock.now(), this.#startedAt + clock.monotonic())
  }

  #failed(error: unknown): void {
    const { log } = this.#options
    if (this.#isFailing) log.debug({ err: error }, 'old versions still cannot be dropped')
    else log.warn({ err: error }, 'old versions could not be dropped; it is tried again')
    this.#isFailing = true
  }

  #holds(): boolean {
    const state = this.#lease?.held.peek()
    return !this.#closing.signal.aborted && state?.kind === 'ok' && state.value
  }

  async #mayAct(): Promise<boolean> {
    if (this.#holds()) return true
    await this.#lease?.release()
    this.#lease = await this.#options.store.lease(leaseName, leaseTtlMs)
    return this.#lease !== undefined
  }

  /** Nothing while the store is away: what is known of it may be old. */
  #due(): readonly string[] {
    const state = this.#options.store.list().peek()
    if (state.kind !== 'ok' || state.stale !== undefined) return []
    const now = this.#now()
    return state.value.filter(summary => this.#mayHold(summary, now)).map(({ namespace }) => namespace)
  }

  /** Numbers count from 1, so a namespace has at most as many versions as its head's number says. */
  #mayHold({ namespace, version }: NamespaceSummary, now: number): boolean {
    const { maxVersions = Number.POSITIVE_INFINITY, maxAgeMs } = this.#options.rule
    const outlook = this.#outlooks.get(namespace)
    if (outlook === undefined) return version > (maxAgeMs === undefined ? maxVersions : 1)
    return version >= outlook.version || now >= outlook.dueAt
  }

  async #sweep(namespace: string): Promise<void> {
    const { store, rule } = this.#options
    const startedAt = this.#now()
    const judge = createJudge(rule, startedAt)
    let head = 0
    let kept = 0
    let dueAt = Number.POSITIVE_INFINITY
    for (let before: number | undefined; ; ) {
      const page = await store.history(namespace, { limit: pageSize, ...(before !== undefined && { before }) })
      head ||= page[0]?.version ?? 0
      const gone: number[] = []
      for (const version of page) {
        const verdict = judge(version)
        if (verdict.goes) gone.push(version.version)
        else kept++
        dueAt = Math.min(dueAt, verdict.dueAt ?? dueAt)
      }
      await this.#pause(paceMs)
      if (gone.length > 0 && !(await this.#forget(namespace, gone))) return
      before = page.at(-1)?.version
      if (page.length < pageSize) break
      if (!this.#holds()) return
    }
    this.#outlooks.set(namespace, {
      version: nextLook(rule, head, kept),
      dueAt: Math.max(dueAt, startedAt + agedEveryMs),
    })
  }

  /** False when this server may not any more. */
  async #forget(namespace: string, versions: readonly number[]): Promise<boolean> {
    if (!this.#holds()) return false
    await this.#options.store.forget(namespace, versions)
    this.#forgotten.inc(versions.length)
    this.#options.log.debug({ namespace, versions: versions.length }, 'old versions were dropped')
    await this.#pause(paceMs)
    return true
  }

  /** Long waits are spread, so that servers that started together do not ask together. */
  #pause(ms: number): Promise<void> {
    const { clock, random } = this.#options
    return pause(clock, ms >= tickMs ? ms * (1 + random() / 2) : ms, this.#closing.signal)
  }
}

/** The head's number at which the count can be exceeded again. Each version that is replaced begins to age. */
function nextLook({ maxVersions, maxAgeMs }: RetentionRule, head: number, kept: number): number {
  if (maxAgeMs !== undefined || maxVersions === undefined) return head + 1
  return head + 1 + Math.max(0, maxVersions - kept)
}
