// Sees to it that what others did in the backend becomes a version, or is shown as refused, without anybody asking.
// Every server does so; the backend's compare-and-swap lets one of them write.
import type { Env } from '../runtime/env.ts'
import { KeyedWork } from './keyed-work.ts'
import type { RefusedTexts } from './refused-texts.ts'
import type { RepeatedFailures } from './repeated-failures.ts'
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
}

export class OutsideAdoption {
  readonly #options: OutsideAdoptionOptions
  readonly #work: KeyedWork

  constructor(options: OutsideAdoptionOptions) {
    this.#options = options
    const { env, settle, failures } = options
    const what = (namespace: string): string => `taking in what others did to '${namespace}'`
    this.#work = new KeyedWork({
      clock: env.clock,
      random: env.random,
      atOnce,
      run: async namespace => {
        await settle(namespace)
        failures.worked(what(namespace))
      },
      failed: (namespace, error) => failures.failed(what(namespace), error),
    })
  }

  changed(namespaces: Iterable<string>): void {
    const { heads, settled, refused } = this.#options
    for (const namespace of namespaces) {
      const sighting = heads.sighting(namespace)
      if (sighting === undefined) refused.clear(namespace)
      else if (settled.isUnsettled(sighting, heads.record(namespace))) this.#work.ask(namespace)
      else if (sighting.isOurs) refused.clear(namespace)
    }
  }

  reset(): void {
    const { heads, refused } = this.#options
    this.changed(new Set([...refused.namespaces, ...heads.namespaces()]))
  }

  /** Reads the head again, whatever was seen of it. */
  reread(namespace: string): void {
    this.#work.ask(namespace)
  }

  stop(): void {
    this.#work.stop()
  }
}
