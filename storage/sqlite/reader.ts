// Reads on a connection of their own, on the main thread: short prepared statements that never wait for a lock.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { Listing } from '../listing.ts'
import type {
  HistoryQuery,
  Idempotency,
  NamespaceSummary,
  PresenceRecord,
  Version,
  VersionSummary,
  WriteResult,
} from '../store.ts'
import { type KeyRecord, keyOutlivedVersion, recallKey } from '../write-rules.ts'
import { openReadConnection } from './connection.ts'
import {
  type PastRow,
  pastFromRow,
  type SummaryRow,
  selectHead,
  selectHistory,
  selectKey,
  selectSummaries,
  selectVersion,
  summaryFromRow,
  type VersionRow,
  versionFromRow,
} from './rows.ts'
import { watchSameFile } from './same-file.ts'
import { sqliteError } from './sqlite-error.ts'

/** Every read throws store-busy, store-corrupt or store-unavailable. The caller closes it. */
export class Reader {
  readonly #path: string
  readonly #db: Database.Database
  readonly #assertSameFile: () => void
  readonly #statements: Statements
  readonly #listing = new Listing()
  /** The listing holds everything up to this sequence. */
  #listed = 0

  constructor(path: string) {
    this.#path = path
    this.#db = openReadConnection(path)
    this.#assertSameFile = watchSameFile(path)
    this.#statements = prepare(this.#db)
  }

  head(namespace: string): Version | undefined {
    return this.#read(({ head }) => versionOf(head.get(namespace)))
  }

  version(namespace: string, version: number): Version | undefined {
    return this.#read(statements => versionOf(statements.version.get(namespace, version)))
  }

  history(namespace: string, { before = Number.MAX_SAFE_INTEGER, limit }: HistoryQuery): readonly VersionSummary[] {
    return this.#read(({ history }) => history.all(namespace, before, limit).map(pastFromRow))
  }

  /** What the key has made; throws idempotency-key-reused too. */
  recall(namespace: string, idempotency: Idempotency, now: number): WriteResult | undefined {
    const known = this.#read(({ key }) => key.get(namespace, idempotency.key))
    const version = recallKey(namespace, idempotency, known, now)
    if (version instanceof NamingError) throw version
    if (version === undefined) return undefined
    const written = this.version(namespace, version)
    if (written === undefined) throw keyOutlivedVersion(namespace, idempotency, version)
    const replaced = this.version(namespace, written.meta.parent)
    return { written, ...(replaced && { replaced }), repeated: true }
  }

  /** Sorted by name; reads only what was written since the last call. */
  summaries(): readonly NamespaceSummary[] {
    const rows = this.#read(({ summaries }) => summaries.all(this.#listed))
    for (const { sequence } of rows) this.#listed = Math.max(this.#listed, sequence)
    this.#listing.put(rows.map(summaryFromRow))
    return this.#listing.sorted
  }

  presence(now: number): readonly PresenceRecord[] {
    return this.#read(({ presence }) => presence.all(now))
  }

  /** Grows with every version written to the file, whoever writes it. */
  lastSequence(): number {
    return this.#read(({ lastSequence }) => lastSequence.get() ?? 0)
  }

  /** The namespaces that got a version after the sequence. */
  changedSince(sequence: number): readonly string[] {
    return this.#read(({ changedSince }) => changedSince.all(sequence))
  }

  /** Throws when the file was removed or replaced: what is read then is not what others read. */
  assertSameFile(): void {
    this.#assertSameFile()
  }

  /** Another value when any other connection, of any process, has committed since. Throws when the file was removed or replaced too. */
  dataVersion(): number {
    this.#assertSameFile()
    return this.#read(() => Number(this.#db.pragma('data_version', { simple: true })))
  }

  close(): void {
    this.#db.close()
  }

  #read<T>(read: (statements: Statements) => T): T {
    try {
      return read(this.#statements)
    } catch (error) {
      throw sqliteError(this.#path, 'cannot be read', error)
    }
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(db: Database.Database) {
  return {
    head: db.prepare<[string], VersionRow>(selectHead),
    version: db.prepare<[string, number], VersionRow>(selectVersion),
    history: db.prepare<[string, number, number], PastRow>(selectHistory),
    key: db.prepare<[string, string], KeyRecord>(selectKey),
    summaries: db.prepare<[number], SummaryRow>(selectSummaries),
    presence: db.prepare<[number], PresenceRecord>(
      `SELECT name AS id, data, expires_at AS expiresAt FROM claim
       WHERE kind = 'presence' AND expires_at > ? ORDER BY name`,
    ),
    lastSequence: db.prepare<[], number>('SELECT max(sequence) FROM version').pluck(),
    changedSince: db.prepare<[number], string>('SELECT DISTINCT namespace FROM version WHERE sequence > ?').pluck(),
  }
}

function versionOf(row: VersionRow | undefined): Version | undefined {
  return row === undefined ? undefined : versionFromRow(row)
}
