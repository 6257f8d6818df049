// Lets go of idempotency keys that have run out, about once an hour: each server does, whichever comes first.
import type { Env } from '../../runtime/env.ts'
import type { Cancel } from '../../watch/clock.ts'
import type { RepeatedFailures } from '../repeated-failures.ts'
import { idempotencyKeptMs } from '../write-rules.ts'
import type { SharedBackend } from './shared-backend.ts'

const hourMs = 60 * 60 * 1000
const what = 'dropping old idempotency keys'

export interface KeyDroppingOptions {
  readonly backend: SharedBackend
  readonly env: Env
  readonly failures: RepeatedFailures
}

/** Runs from the start until it is stopped. */
export class KeyDropping {
  readonly #options: KeyDroppingOptions
  #cancel: Cancel

  constructor(options: KeyDroppingOptions) {
    this.#options = options
    this.#cancel = this.#schedule()
  }

  stop(): void {
    this.#cancel()
  }

  /** Between half an hour and one and a half, so that servers that began together spread out. */
  #schedule(): Cancel {
    const { clock, random } = this.#options.env
    return clock.after(hourMs * (0.5 + random()), () => {
      this.#cancel = this.#schedule()
      this.#drop()
    })
  }

  #drop(): void {
    const { backend, env, failures } = this.#options
    backend.dropKeys(env.clock.now() - idempotencyKeptMs).then(
      () => failures.worked(what),
      (error: unknown) => failures.failed(what, error),
    )
  }
}
