// What is shown of a file that was emptied, by the rule for all namers: bound to nothing, or neg after the hold-down. A
// file that is removed is gone at once. Knows nothing of disks.
import type { Sink } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'
import { HoldDown } from '../hold-down.ts'
import type { Entry } from './file-follower.ts'

export interface EmptyFileRule {
  /** Whether a file without endpoints is neg. */
  readonly emptyIsNeg: boolean
  /** After having had endpoints, only so long after it was emptied; milliseconds. */
  readonly emptyHoldDownMs: number
}

const missing: Entry = { kind: 'missing' }

/** Stands before the sink of one entry. Its owner closes it. */
export class EmptyFileSink implements Sink<Entry> {
  readonly #sink: Sink<Entry>
  readonly #clock: Clock
  readonly #emptyIsNeg: boolean
  readonly #holdDown: HoldDown
  #emptySince: number | undefined
  #failure: Error | undefined

  constructor(sink: Sink<Entry>, rule: EmptyFileRule, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
    this.#emptyIsNeg = rule.emptyIsNeg
    this.#holdDown = new HoldDown(clock, rule.emptyHoldDownMs, () => this.#showMissing())
  }

  set(entry: Entry, version?: string): void {
    this.#failure = undefined
    this.#sink.set(this.#isMissing(entry) ? missing : entry, version)
  }

  fail(error: Error, retryAt?: number): void {
    this.#failure = error
    this.#sink.fail(error, retryAt)
  }

  setStale(entry: Entry, reason: Error): void {
    this.#failure = reason
    this.#sink.setStale(this.#isMissing(entry) ? missing : entry, reason)
  }

  contact(version?: string): void {
    this.#sink.contact(version)
  }

  close(): void {
    this.#holdDown.close()
  }

  #isMissing(entry: Entry): boolean {
    if (this.#emptyIsNeg && isEmptyFile(entry)) {
      this.#emptySince ??= this.#clock.monotonic()
      return this.#holdDown.missing(this.#emptySince)
    }
    this.#emptySince = undefined
    if (entry.kind === 'file') this.#holdDown.present()
    else this.#holdDown.gone()
    return false
  }

  #showMissing(): void {
    if (this.#failure === undefined) this.#sink.set(missing)
    else this.#sink.setStale(missing, this.#failure)
  }
}

function isEmptyFile(entry: Entry): boolean {
  return entry.kind === 'file' && entry.replicas?.kind === 'bound' && entry.replicas.endpoints.length === 0
}
