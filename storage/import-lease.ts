// One import of a namespace at a time, on whichever server. Knows no store but its leases.
import { NamingError } from '../naming/errors.ts'
import type { Lease, Store } from './store.ts'

const ttlMs = 10_000

/** Of one import; taken when it is first needed. Release it in the end. */
export class ImportLease {
  readonly #namespace: string
  readonly #take: Store['lease']
  #lease: Lease | undefined

  constructor(namespace: string, take: Store['lease']) {
    this.#namespace = namespace
    this.#take = take
  }

  get isHeld(): boolean {
    const held = this.#lease?.held.peek()
    return held?.kind === 'ok' && held.value
  }

  /** Resolves when nobody else imports this namespace; store-busy when another does, or has taken over. */
  async hold(): Promise<void> {
    this.#lease ??= await this.#take(`import ${this.#namespace}`, ttlMs)
    if (this.isHeld) return
    throw new NamingError(
      'store-busy',
      `Another import of '${this.#namespace}' is going on, or was cut off within the last ${(2 * ttlMs) / 1000} s.`,
      { detail: { namespace: this.#namespace } },
    )
  }

  /** Harmless when it was never taken; one that cannot be given up runs out. */
  async release(): Promise<void> {
    await this.#lease?.release()
  }
}
