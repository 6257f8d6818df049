// Applies groups of writes to the database: one transaction and one fsync for a group, a savepoint for each write.
// Runs in the write worker; knows nothing of threads, so that it can be tried by itself.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import type { Claim } from '../claims.ts'
import type { RefusedText, WriteRequest, WriteResult } from '../store.ts'
import { openWriteConnection } from './connection.ts'
import { type PlainError, plainError } from './plain-error.ts'
import { watchSameFile } from './same-file.ts'
import { type Settlement, SettlementTable } from './settlement.ts'
import { causeCode, isBusy, sqliteError } from './sqlite-error.ts'
import { type ImportPart, type Made, VersionTable } from './version-table.ts'

/** One thing to do. All of it is plain data, to cross threads. */
export type Operation =
  | { readonly kind: 'write'; readonly request: WriteRequest }
  | { readonly kind: 'forget'; readonly namespace: string; readonly versions: readonly number[] }
  | { readonly kind: 'import'; readonly part: ImportPart }
  | { readonly kind: 'settle'; readonly settlement: Settlement }
  | { readonly kind: 'drop-import'; readonly namespace: string }
  | { readonly kind: 'claim'; readonly claim: Claim }
  | { readonly kind: 'unclaim'; readonly claimKind: Claim['kind']; readonly name: string; readonly owner: string }

/**
 * written: `sequence` is its place in the order of all heads; absent when a repeated key found what it had made.
 * unsettled: nothing was done, for what another program put in place of the head must be judged first.
 */
export type Outcome =
  | { readonly kind: 'written'; readonly result: WriteResult; readonly sequence?: number }
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'settled'; readonly refused?: RefusedText }
  | { readonly kind: 'done'; readonly isTaken: boolean }
  | { readonly kind: 'refused'; readonly error: PlainError }

/** busy: another process holds the lock, nothing was done. done: one outcome per operation, in order, all of them durable. */
export type GroupOutcome = { readonly kind: 'busy' } | { readonly kind: 'done'; readonly outcomes: readonly Outcome[] }

const done: Outcome = { kind: 'done', isTaken: false }
const unsettled: Outcome = { kind: 'unsettled' }

const writtenOr = (made: Made | undefined): Outcome => (made === undefined ? unsettled : { kind: 'written', ...made })

const settledWith = (refused: RefusedText | undefined): Outcome => ({ kind: 'settled', ...(refused && { refused }) })

/** cut: the log is empty. held: another connection reads in a transaction that began before what the log holds. */
export type Checkpoint =
  | { readonly kind: 'cut' }
  | { readonly kind: 'held' }
  | { readonly kind: 'failed'; readonly error: PlainError }

/** The write side of one database file. */
export class Writer {
  readonly connection: Database.Database
  readonly #path: string
  readonly #assertSameFile: () => void
  readonly #statements: Statements
  readonly #versions: VersionTable
  readonly #settlements: SettlementTable

  /** Throws as openWriteConnection does. */
  constructor(path: string, now: number) {
    this.#path = path
    this.connection = openWriteConnection(path, now)
    this.#assertSameFile = watchSameFile(path)
    this.#statements = prepare(this.connection)
    this.#versions = new VersionTable(this.connection)
    this.#settlements = new SettlementTable(this.connection)
  }

  /** `now` is ms since 1970. Never throws. Once it returns, what it reports as written is on the disk. */
  run(operations: readonly Operation[], now: number): GroupOutcome {
    try {
      // What went to a file that has lost its name would never be found again.
      this.#assertSameFile()
      return { kind: 'done', outcomes: this.#transact(operations, now) }
    } catch (error) {
      if (isBusy(error)) return { kind: 'busy' }
      if (isFull(error) && operations.length > 1) return this.#oneByOne(operations, now)
      const failure = error instanceof NamingError ? error : sqliteError(this.#path, 'cannot be written', error)
      return { kind: 'done', outcomes: operations.map(() => ({ kind: 'refused', error: plainError(failure) })) }
    }
  }

  /** Folds the whole log into the database and empties it; waits a tenth of a second for readers. Never throws, loses nothing. */
  checkpoint(): Checkpoint {
    try {
      const isHeld = this.connection.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 1
      return { kind: isHeld ? 'held' : 'cut' }
    } catch (error) {
      if (isBusy(error)) return { kind: 'held' }
      return { kind: 'failed', error: plainError(sqliteError(this.#path, 'cannot be written', error)) }
    }
  }

  close(): void {
    this.connection.close()
  }

  /** A large write must not take the small ones of its group down with it. */
  #oneByOne(operations: readonly Operation[], now: number): GroupOutcome {
    const outcomes: Outcome[] = []
    for (const operation of operations) {
      const outcome = this.run([operation], now)
      if (outcome.kind === 'done') outcomes.push(...outcome.outcomes)
      else outcomes.push({ kind: 'refused', error: plainError(sqliteError(this.#path, 'cannot be written', busy)) })
    }
    return { kind: 'done', outcomes }
  }

  #transact(operations: readonly Operation[], now: number): readonly Outcome[] {
    const { begin, commit, rollback } = this.#statements
    begin.run()
    try {
      const [only] = operations
      const isOne = operations.length === 1 && only !== undefined
      const outcomes = isOne ? [this.#applyOnly(only, now)] : operations.map(one => this.#applyAlone(one, now))
      if (this.connection.inTransaction) commit.run()
      return outcomes
    } catch (error) {
      if (this.connection.inTransaction) rollback.run()
      throw error
    }
  }

  /** As #applyAlone, where the transaction holds nothing else. */
  #applyOnly(operation: Operation, now: number): Outcome {
    try {
      return this.#apply(operation, now)
    } catch (error) {
      if (!(error instanceof NamingError)) throw error
      this.#statements.rollback.run()
      return { kind: 'refused', error: plainError(error) }
    }
  }

  /** A refused operation leaves nothing behind; a failing database fails the whole group. */
  #applyAlone(operation: Operation, now: number): Outcome {
    const { savepoint, release, rollbackTo } = this.#statements
    savepoint.run()
    try {
      return this.#apply(operation, now)
    } catch (error) {
      if (!(error instanceof NamingError)) throw error
      rollbackTo.run()
      return { kind: 'refused', error: plainError(error) }
    } finally {
      if (this.connection.inTransaction) release.run()
    }
  }

  #apply(operation: Operation, now: number): Outcome {
    switch (operation.kind) {
      case 'write':
        return writtenOr(this.#versions.write(operation.request, now))
      case 'claim':
        return { kind: 'done', isTaken: this.#claim(operation.claim) }
      case 'forget':
        this.#versions.forget(operation.namespace, operation.versions)
        return done
      case 'import':
        return this.#versions.importPart(operation.part) ? done : unsettled
      case 'settle':
        return settledWith(this.#settlements.settle(operation.settlement, now))
      case 'drop-import':
        this.#versions.dropImport(operation.namespace)
        return done
      case 'unclaim':
        this.#statements.unclaim.run(operation.claimKind, operation.name, operation.owner)
        return done
    }
  }

  #claim({ kind, name, owner, data, now, expiresAt, force }: Claim): boolean {
    this.#statements.dropRecords.run(now)
    return this.#statements.claim.run(kind, name, owner, data, expiresAt, force ? 1 : 0, now).changes === 1
  }
}

const busy = Object.assign(new Error('busy'), { code: 'SQLITE_BUSY' })

const isFull = (error: unknown): boolean => /^SQLITE_(FULL|IOERR_SHMSIZE)/.test(causeCode(error) ?? '')

type Statements = ReturnType<typeof prepare>

/** Every statement once, for the life of the connection. */
function prepare(db: Database.Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    savepoint: db.prepare('SAVEPOINT one'),
    release: db.prepare('RELEASE one'),
    rollbackTo: db.prepare('ROLLBACK TO one'),
    claim: db.prepare<[string, string, string, string, number, number, number]>(
      `INSERT INTO claim VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET owner = excluded.owner, data = excluded.data, expires_at = excluded.expires_at
       WHERE owner = excluded.owner OR ? OR expires_at <= ?`,
    ),
    unclaim: db.prepare<[string, string, string]>('DELETE FROM claim WHERE kind = ? AND name = ? AND owner = ?'),
    dropRecords: db.prepare<[number]>("DELETE FROM claim WHERE kind = 'presence' AND expires_at <= ?"),
  }
}
