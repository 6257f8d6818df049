// Keeps the write-ahead log small: folds it into the database and cuts it back once it is over its limit, and says so when
// another program does not let it. Knows neither threads nor statements.
import { statSync } from 'node:fs'
import type { Log } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Checkpoint } from './writer.ts'

/** Between two tries while the log cannot be cut back; each may hold up writes for a tenth of a second. */
const retryMs = 5_000

/**
 * Between two looks at its size. Not after each commit: a file whose times were asked for gets new ones with the next write,
 * and these make the next fsync wait for the file system's journal.
 */
const lookEveryMs = 100

export interface LogKeeperOptions {
  readonly path: string
  readonly limitBytes: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Must not reject. */
  readonly checkpoint: () => Promise<Checkpoint>
}

/** `written` after each commit; `stop` when the store closes. */
export class LogKeeper {
  readonly #options: LogKeeperOptions
  readonly #checkpoints: { inc(labels: { readonly outcome: string }): void }
  #isWorking = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #retry: Cancel | undefined
  #heldSince: number | undefined
  #isStopped = false

  constructor(options: LogKeeperOptions) {
    this.#options = options
    const { metrics } = options
    metrics.gauge({
      name: 'nameplane_sqlite_wal_bytes',
      help: 'Size of the write-ahead log.',
      collect: () => this.#bytes(),
    })
    this.#checkpoints = metrics.counter({
      name: 'nameplane_sqlite_checkpoints_total',
      help: 'Times the log was over its limit, by outcome: cut, held open by another program, or failed.',
      labels: ['outcome'],
    })
  }

  /** The log may have grown. */
  written(): void {
    const now = this.#options.clock.monotonic()
    if (this.#isWorking || this.#retry !== undefined || this.#isStopped || now - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = now
    this.#keep()
  }

  stop(): void {
    this.#isStopped = true
    this.#retry?.()
    this.#retry = undefined
  }

  #keep(): void {
    // SQLite itself cuts back a log that it begins anew.
    if (this.#bytes() <= this.#options.limitBytes) {
      this.#recovered()
      return
    }
    this.#isWorking = true
    void this.#cut()
  }

  async #cut(): Promise<void> {
    const checkpoint = await this.#options.checkpoint()
    this.#isWorking = false
    this.#checkpoints.inc({ outcome: checkpoint.kind })
    if (checkpoint.kind === 'cut') this.#recovered()
    else this.#troubled(checkpoint)
  }

  #recovered(): void {
    if (this.#heldSince === undefined) return
    const { path, log, clock } = this.#options
    log.info({ path, heldMs: clock.now() - this.#heldSince }, 'the log of the database is cut back again')
    this.#heldSince = undefined
  }

  #troubled(checkpoint: Exclude<Checkpoint, { kind: 'cut' }>): void {
    const { path, log, clock } = this.#options
    const level = this.#heldSince === undefined ? 'warn' : 'debug'
    this.#heldSince ??= clock.now()
    const facts = { path, walBytes: this.#bytes(), heldMs: clock.now() - this.#heldSince }
    if (checkpoint.kind === 'held')
      log[level](
        facts,
        'the log of the database grows, for another program has been reading it in one transaction: end that program or its transaction (`fuser` names who has the file open)',
      )
    else log[level]({ ...facts, reason: checkpoint.error.message }, 'the log of the database could not be cut back')
    if (this.#isStopped) return
    this.#retry = clock.after(retryMs, () => {
      this.#retry = undefined
      this.#keep()
    })
  }

  /** 0 where it cannot be asked for: reads and writes meet the same trouble, and tell whom it concerns. */
  #bytes(): number {
    try {
      return statSync(`${this.#options.path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    } catch {
      return 0
    }
  }
}
