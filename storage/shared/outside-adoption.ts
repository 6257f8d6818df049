// Sees to it that what others did in the backend becomes a version, or is shown as refused, without anybody asking.
// Every server does so; the backend's compare-and-swap lets one of them write.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import { isUnavailable, KeyedWork } from '../keyed-work.ts'
import type { RepeatedFailures } from '../repeated-failures.ts'
import type { RefusedTexts } from './refused-texts.ts'
import type { SettledHeads } from './settled-heads.ts'
import type { SharedHeads } from './shared-heads.ts'

/** Namespaces that are taken in at one time: a store that was never ours may hold thousands. */
const atOnce = 8

export interface OutsideAdoptionOptions {
  readonly env: Env
  readonly heads: SharedHeads
  readonly settled: SettledHeads
  readonly refused: RefusedTexts
  /** Takes in what others did to a namespace, in line with the writes to it. */
  readonly settle: (namespace: string) => Promise<unknown>
  readonly failures: RepeatedFailures
  /** Told when it cannot be done now: what is shown of the namespace is not what stands in the backend. */
  readonly failed: (namespace: string, error: NamingError, retryAt: number) => void
}

/** What the log calls it. */
export const adopting = (namespace: string): string => `taking in what others did to '${namespace}'`

export class OutsideAdoption {
  readonly #options: OutsideAdoptionOptions
  readonly #work: KeyedWork
  readonly #turns: TurnQueue

  constructor(options: OutsideAdoptionOptions) {
    this.#options = options
    const { env, settle, failures, failed } = options
    this.#turns = new TurnQueue(env.clock)
    this.#work = new KeyedWork({
      clock: env.clock,
      random: env.random,
      atOnce,
      run: settle,
      isOfAll: isUnavailable,
      failed: (namespace, error, retryAt) => {
        failures.failed(adopting(namespace), error)
        failed(namespace, NamingError.from(error), retryAt)
      },
    })
  }

  changed(namespaces: Iterable<string>): void {
    const { heads, settled, refused } = this.#options
    for (const namespace of namespaces) {
      const sighting = heads.sighting(namespace)
      if (sighting === undefined) refused.clear(namespace)
      else if (settled.unsettled(sighting, heads.record(namespace)) !== 'no') this.#work.ask(namespace)
      else if (sighting.isOurs) refused.clear(namespace)
    }
  }

  /** All are looked at, some in each turn. */
  reset(): void {
    const { heads, refused } = this.#options
    const all = new Set([...refused.namespaces, ...heads.namespaces()])
    for (const namespace of all) this.#turns.run(() => this.changed([namespace]))
  }

  /** Reads the head again, whatever was seen of it. */
  reread(namespace: string): void {
    this.#work.ask(namespace)
  }

  stop(): void {
    this.#work.stop()
  }
}
