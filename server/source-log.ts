// Turns what happens to sources into log lines and metrics. A backend that fails is one line, however many names it has.
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { relayGroup, type SourceEvent } from '../watch/cell.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import { commonErrors, groupOf, sourceId } from './source-groups.ts'

export interface SourceLogOptions {
  readonly log: Log
  readonly metrics: Metrics
  readonly clock: Clock
}

/** After the first failure of a backend, names that fail with it are waited for so long. */
const gatherMs = 1_000
/** While a backend fails, names that fail later are told of no more often than this. */
const repeatMs = 60_000
const shownNames = 3
const shownErrors = 3
/** Failures in a row that are kept until they are told; of more only the number is. */
const maxSample = 1_000

/** The kernel's onSource for a server. Series are per event, never per source: names of sources are unbounded. */
export class SourceLog {
  readonly #options: SourceLogOptions
  readonly #events: ReturnType<typeof countEvents>
  readonly #troubles = new Map<string, Trouble>()

  constructor(options: SourceLogOptions) {
    this.#options = options
    this.#events = countEvents(options.metrics)
  }

  readonly note = (event: SourceEvent): void => {
    this.#events.inc({ event: event.kind })
    this.#options.log.debug(factsOf(event), `source ${event.kind}`)
    const group = groupOf({ name: event.source, ...(event.group !== undefined && { group: event.group }) })
    if (group === relayGroup) return
    if (event.kind === 'failed') this.#troubleOf(group).begins(event)
    else if (event.kind === 'recovered' || event.kind === 'closed') this.#troubles.get(group)?.ends(event)
  }

  /** Tells what was gathered; after it nothing is told but by note. */
  close(): void {
    for (const trouble of this.#troubles.values()) trouble.close()
    this.#troubles.clear()
  }

  #troubleOf(group: string): Trouble {
    const known = this.#troubles.get(group)
    if (known !== undefined) return known
    const made = new Trouble(group, { ...this.#options, over: () => this.#troubles.delete(group) })
    this.#troubles.set(group, made)
    return made
  }
}

function countEvents(metrics: Metrics) {
  return metrics.counter({
    name: 'nameplane_source_events_total',
    help: 'What happened to discovery and storage sources.',
    labels: ['event'],
  })
}

function factsOf({ source, group, error, retryAt }: SourceEvent): object {
  return {
    source: group === undefined ? source : sourceId(group),
    ...(group !== undefined && { name: source }),
    ...(error && { error: error.message }),
    ...(retryAt !== undefined && { retryAt: new Date(retryAt).toISOString() }),
  }
}

interface TroubleOptions extends Omit<SourceLogOptions, 'metrics'> {
  /** Nothing fails any more and all is told. */
  readonly over: () => void
}

/** One backend's failure, from its first name's to the recovery of the last. */
class Trouble {
  readonly #id: string
  readonly #options: TroubleOptions
  readonly #since: number
  /** Names that fail now. */
  readonly #failing = new Set<string>()
  /** The first of the failures that no line has told of, and how many there were. */
  #untold: SourceEvent[] = []
  #untoldCount = 0
  #isTold = false
  #hasRecovered = false
  #dueAt = Number.POSITIVE_INFINITY
  #cancel: Cancel | undefined

  constructor(group: string, options: TroubleOptions) {
    this.#id = sourceId(group)
    this.#options = options
    this.#since = options.clock.monotonic()
  }

  begins(event: SourceEvent): void {
    this.#failing.add(event.source)
    if (this.#untoldCount++ < maxSample) this.#untold.push(event)
    this.#tellWithin(this.#isTold ? repeatMs : gatherMs)
  }

  ends({ kind, source }: SourceEvent): void {
    if (!this.#failing.delete(source)) return
    this.#hasRecovered ||= kind === 'recovered'
    if (this.#failing.size === 0) this.#tellWithin(gatherMs)
  }

  close(): void {
    this.#cancel?.()
    if (this.#untoldCount > 0) this.#warn()
  }

  /** Never puts off what is due: a source that fails and recovers all the time would silence its own log. */
  #tellWithin(ms: number): void {
    const { clock } = this.#options
    const dueAt = clock.monotonic() + ms
    if (dueAt >= this.#dueAt) return
    this.#cancel?.()
    this.#dueAt = dueAt
    this.#cancel = clock.after(ms, this.#tell)
  }

  readonly #tell = (): void => {
    this.#cancel = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
    const { log, clock, over } = this.#options
    if (this.#untoldCount > 0) this.#warn()
    if (this.#failing.size > 0) return
    const facts = { source: this.#id, failedForMs: Math.round(clock.monotonic() - this.#since) }
    log.info(facts, this.#hasRecovered ? 'the source is back' : 'nobody follows what failed in the source any more')
    over()
  }

  #warn(): void {
    const untold = this.#untold
    this.#untold = []
    this.#isTold = true
    const now = this.#options.clock.now()
    const retries = untold.flatMap(({ retryAt = now }) => (retryAt > now ? retryAt : []))
    const facts = {
      source: this.#id,
      failing: this.#failing.size,
      failed: this.#untoldCount,
      names: [...new Set(untold.map(({ source }) => source))].slice(0, shownNames),
      errors: commonErrors(
        untold.flatMap(({ error }) => error?.message ?? []),
        shownErrors,
      ),
      ...(retries.length > 0 && { retryAt: new Date(retries.reduce((a, b) => Math.min(a, b))).toISOString() }),
    }
    this.#untoldCount = 0
    this.#options.log.warn(facts, 'a source fails; the last good state is kept')
  }
}
