// What becomes of a row that another program put in place of a head: a version as it stands, or a refused text set aside.
// Runs in the write worker, inside a transaction that its caller begins and ends.
import type Database from 'better-sqlite3'
import type { TextPosition } from '../../naming/errors.ts'
import type { RefusedText } from '../store.ts'
import { sealOf } from './rows.ts'

export type Verdict =
  | { readonly kind: 'good' }
  | { readonly kind: 'refused'; readonly reason: string; readonly position?: TextPosition; readonly bytes: number }

/** `sequence` and `seal` say which row, with which content, was judged. */
export interface Settlement {
  readonly namespace: string
  readonly sequence: number
  readonly seal: string
  readonly verdict: Verdict
}

interface JudgedRow {
  readonly version: bigint
  readonly content: Uint8Array | null
}

export class SettlementTable {
  readonly #statements: Statements

  constructor(db: Database.Database) {
    this.#statements = prepare(db)
  }

  /** Does nothing when the row has changed since it was judged. `now` is ms since 1970. */
  settle(settlement: Settlement, now: number): RefusedText | undefined {
    const { sequence, seal, verdict } = settlement
    const row = this.#statements.row.get(sequence)
    if (row === undefined || sealOf(row.content ?? undefined) !== seal) return undefined
    const bytes = row.content?.byteLength ?? 0
    const refusal = verdict.kind === 'refused' ? verdict : this.#refuseNumber(settlement.namespace, row.version, bytes)
    if (refusal !== undefined) return this.#setAside(settlement, refusal, now)
    this.#accept(settlement, bytes)
    return undefined
  }

  #refuseNumber(namespace: string, version: bigint, bytes: number): Extract<Verdict, { kind: 'refused' }> | undefined {
    const last = this.#statements.lastNumber.get(namespace) ?? 0
    if (version > last && version <= Number.MAX_SAFE_INTEGER) return undefined
    const reason = `its version number, ${version}, cannot come after ${last}`
    return { kind: 'refused', reason, bytes }
  }

  /** It gets the newest sequence, so that whoever looks for what is new finds it. */
  #accept({ namespace, sequence, seal }: Settlement, bytes: number): void {
    const next = (this.#statements.lastSequence.get() ?? 0) + 1
    this.#statements.seal.run({ sequence, next, seal, bytes })
    this.#statements.moveHead.run(next, namespace)
    this.#statements.clear.run(namespace)
  }

  #setAside(
    { namespace, sequence }: Settlement,
    { reason, position, bytes }: Extract<Verdict, { kind: 'refused' }>,
    now: number,
  ): RefusedText {
    const { copy, drop, lastSealed, moveHead, dropHead } = this.#statements
    const { offset = null, line = null, column = null } = position ?? {}
    copy.run({ sequence, namespace, reason, offset, line, column, bytes, now })
    drop.run(sequence)
    const last = lastSealed.get(namespace)
    if (last === undefined) dropHead.run(namespace)
    else moveHead.run(last, namespace)
    return { namespace, reason, ...(position !== undefined && { position }), bytes, since: now }
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(db: Database.Database) {
  return {
    row: db
      .prepare<[number], JudgedRow>(
        'SELECT version, CAST(text AS BLOB) AS content FROM version WHERE sequence = ? AND seal IS NULL',
      )
      .safeIntegers(),
    lastNumber: db
      .prepare<[string], number>('SELECT max(version) FROM version WHERE namespace = ? AND seal IS NOT NULL')
      .pluck(),
    lastSequence: db.prepare<[], number>('SELECT max(sequence) FROM version').pluck(),
    lastSealed: db
      .prepare<[string], number>(
        'SELECT sequence FROM version WHERE namespace = ? AND seal IS NOT NULL ORDER BY version DESC LIMIT 1',
      )
      .pluck(),
    seal: db.prepare<[object]>(
      'UPDATE version SET sequence = @next, seal = @seal, bytes = @bytes WHERE sequence = @sequence',
    ),
    moveHead: db.prepare<[number, string]>('UPDATE head SET sequence = ? WHERE namespace = ?'),
    dropHead: db.prepare<[string]>('DELETE FROM head WHERE namespace = ?'),
    drop: db.prepare<[number]>('DELETE FROM version WHERE sequence = ?'),
    clear: db.prepare<[string]>('DELETE FROM refused_text WHERE namespace = ?'),
    copy: db.prepare<[object]>(
      `INSERT OR REPLACE INTO refused_text
       SELECT @namespace, @reason, @offset, @line, @column, @bytes, @now, CAST(text AS BLOB) FROM version WHERE sequence = @sequence`,
    ),
  }
}
