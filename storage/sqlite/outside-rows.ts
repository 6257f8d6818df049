// What other programs put into the file in place of a head: judged, and then made a version or set aside, exactly once.
// Knows the file by its reader and by what the writer does; shows nothing itself.
import type { Counter } from 'prom-client'
import type { Env } from '../../runtime/env.ts'
import { KeyedWork } from '../keyed-work.ts'
import { LinePerKey } from '../line-per-key.ts'
import { RepeatedFailures } from '../repeated-failures.ts'
import { judgeOutsideEdit } from '../shared/outside-edits.ts'
import type { RefusedText } from '../store.ts'
import type { Reader } from './reader.ts'
import { sealOf, type UnsettledRow } from './rows.ts'
import type { Settlement, Verdict } from './settlement.ts'

/** Namespaces that are judged side by side. */
const atOnce = 4
/** An edit that comes while the one before is judged is judged next, this often at most. */
const maxRounds = 10

export interface OutsideRowsOptions {
  readonly env: Env
  readonly maxDtabBytes: number
  /** A read that waits for another process's lock. */
  readonly read: <T>(read: (reader: Reader) => T) => Promise<T>
  /** How many namespaces have a refused text now. */
  readonly refused: () => number
  /** Durable once it resolves, to what was refused by it. */
  readonly settle: (settlement: Settlement) => Promise<RefusedText | undefined>
}

export class OutsideRows {
  readonly #options: OutsideRowsOptions
  readonly #line = new LinePerKey()
  readonly #work: KeyedWork
  readonly #failures: RepeatedFailures
  readonly #refused: Counter

  constructor(options: OutsideRowsOptions) {
    this.#options = options
    const { clock, random, log, metrics } = options.env
    this.#failures = new RepeatedFailures(log, clock)
    this.#work = new KeyedWork({
      clock,
      random,
      atOnce,
      run: namespace => this.settle(namespace),
      isOfAll: () => true,
      failed: (namespace, error) => this.failed(namespace, error),
    })
    this.#refused = metrics.counter({
      name: 'nameplane_dtab_refusals_total',
      help: 'Texts found in the store that are no dtabs and were put there past Nameplane.',
    })
    metrics.gauge({
      name: 'nameplane_dtabs_refused',
      help: 'Namespaces in whose place a text that is no dtab stands in the store now.',
      collect: options.refused,
    })
  }

  /** To be settled soon; again by itself after a failure. */
  ask(namespaces: readonly string[]): void {
    for (const namespace of namespaces) this.#work.ask(namespace)
  }

  /** Resolves once nothing that is there now waits to be judged. Rejects as a write does. */
  settle(namespace: string): Promise<void> {
    return this.#line.run(namespace, async () => {
      for (let round = 0; round < maxRounds; round++) {
        const row = await this.#options.read(reader => reader.unsettledRow(namespace))
        if (row === undefined) break
        await this.#settle(namespace, row)
      }
      this.#failures.worked(whatIsDone(namespace))
    })
  }

  /** For callers who can go on without: the failure is logged. */
  failed(namespace: string, error: unknown): void {
    this.#failures.failed(whatIsDone(namespace), error)
  }

  stop(): void {
    this.#work.stop()
  }

  async #settle(namespace: string, row: UnsettledRow): Promise<void> {
    const verdict = await this.#judge(namespace, row)
    const { sequence, content } = row
    const refused = await this.#options.settle({ namespace, sequence, seal: sealOf(content ?? undefined), verdict })
    if (refused === undefined) return
    this.#refused.inc()
    const { reason, position, bytes } = refused
    const place = position === undefined ? {} : { line: position.line, column: position.column }
    this.#options.env.log.warn(
      { store: 'sqlite', namespace, reason, ...place, bytes },
      'a text in the store is no dtab; it is not served',
    )
  }

  async #judge(namespace: string, { content }: UnsettledRow): Promise<Verdict> {
    if (content === null) return { kind: 'good' }
    const { env, maxDtabBytes } = this.#options
    const stored = { namespace, isOurs: false, token: '', order: 0, content }
    const edit = await judgeOutsideEdit(stored, { clock: env.clock, maxDtabBytes, record: undefined })
    if (edit.kind !== 'refused') return { kind: 'good' }
    const { reason, position, bytes } = edit
    return { kind: 'refused', reason, bytes, ...(position !== undefined && { position }) }
  }
}

const whatIsDone = (namespace: string): string => `judging what others wrote to '${namespace}'`
