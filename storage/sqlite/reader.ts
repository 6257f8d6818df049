// Reads on a connection of their own, on the main thread: short prepared statements that never wait for a lock.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { Listing } from '../listing.ts'
import { summaryOf } from '../local-cells.ts'
import type {
  HistoryQuery,
  Idempotency,
  NamespaceSummary,
  PresenceRecord,
  RefusedText,
  Version,
  VersionSummary,
  WriteResult,
} from '../store.ts'
import { type KeyRecord, keyOutlivedVersion, recallKey } from '../write-rules.ts'
import { openReadConnection } from './connection.ts'
import type { NewHead } from './new-heads.ts'
import {
  largeTextBytes,
  type PastRow,
  pastFromRow,
  type RefusedRow,
  refusedFromRow,
  type SummaryRow,
  selectHead,
  selectHeadInBrief,
  selectHistory,
  selectIsUnsettled,
  selectKey,
  selectSummaries,
  selectSummariesSince,
  selectSummary,
  selectUnsettled,
  selectVersion,
  summaryFromRow,
  type UnsettledRow,
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
  #listing = new Listing()
  /** The large head that was read last. */
  #large: VersionRow | undefined
  /** The listing holds everything up to this sequence. */
  #listed = 0

  constructor(path: string) {
    this.#path = path
    this.#db = openReadConnection(path)
    this.#assertSameFile = watchSameFile(path)
    this.#statements = prepare(this.#db)
  }

  /** A large text that was read last is not read again while it is the head. */
  head(namespace: string): Version | undefined {
    return this.#read(({ head, headInBrief }) => {
      const brief = headInBrief.get(namespace)
      if (brief === undefined || brief.bytes <= largeTextBytes) return versionOf(brief)
      if (!isOf(brief, this.#large)) this.#large = head.get(namespace)
      return this.#large && versionFromRow(this.#large)
    })
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
    const { settled, unsettled } = this.#read(() => this.#newSummaries())
    for (const { sequence } of settled) this.#listed = Math.max(this.#listed, sequence)
    this.#listing.put([...settled, ...unsettled].map(summaryFromRow))
    return this.#listing.sorted
  }

  /** As `summaries`, without a read where these heads come right after what the last call knew. */
  summariesWith(heads: readonly NewHead[]): readonly NamespaceSummary[] {
    const last = heads.at(-1)
    if (last === undefined || this.#listed === 0 || heads[0]?.sequence !== this.#listed + 1) return this.summaries()
    this.#listing.put(heads.map(({ head }) => summaryOf(head)))
    this.#listed = last.sequence
    return this.#listing.sorted
  }

  /** What was put in the file by others and refused, sorted by namespace. */
  refusals(): readonly RefusedText[] {
    return this.#read(({ refusals }) => refusals.all().map(refusedFromRow))
  }

  /** The namespaces in whose head's place another program has put something that no server has judged yet. */
  unsettled(): readonly string[] {
    return this.#read(({ unsettled }) => unsettled.all())
  }

  /** What it has put there; undefined when nothing is to be judged. */
  unsettledRow(namespace: string): UnsettledRow | undefined {
    return this.#read(({ unsettledRow }) => unsettledRow.get(namespace))
  }

  isUnsettled(namespace: string): boolean {
    return this.#read(({ isUnsettled }) => isUnsettled.get(namespace)) === 1
  }

  presence(now: number): readonly PresenceRecord[] {
    return this.#read(({ presence }) => presence.all(now))
  }

  /** The order of the newest head that is settled, and so keeps its place. Grows with every write. Reads every head. */
  lastSequence(): number {
    return this.#read(({ lastSequence }) => lastSequence.get() ?? 0)
  }

  /**
   * The namespaces whose head may be newer than the sequence, and the sequence of the last that is settled: one that is to be
   * judged may be set aside, and another write get its place. What it hides is looked at while it is there, for later it is
   * older than what was written since.
   */
  headsSince(sequence: number): { readonly namespaces: readonly string[]; readonly sequence: number } {
    const rows = this.#read(({ headsSince }) => headsSince.all(sequence))
    return { namespaces: rows.map(row => row.namespace), sequence: rows.at(-1)?.settled ?? sequence }
  }

  /** What tells the version at this sequence from any other; undefined when there is none. */
  mark(sequence: number): string | undefined {
    return this.#read(({ mark }) => mark.get(sequence))
  }

  /** Forgets what is kept of the file. */
  startAgain(): void {
    this.#large = undefined
    this.#listing = new Listing()
    this.#listed = 0
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

  /** What was written since the last time, and what stands behind rows that are to be judged: of one moment. */
  #newSummaries(): { readonly settled: readonly SummaryRow[]; readonly unsettled: readonly SummaryRow[] } {
    const { summaries, summariesSince, unsettled, summary } = this.#statements
    const read = this.#db.transaction(() => ({
      settled: this.#listed === 0 ? summaries.all() : summariesSince.all(this.#listed),
      unsettled: unsettled.all().flatMap(namespace => summary.get(namespace) ?? []),
    }))
    return read()
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
    headInBrief: db.prepare<[string], VersionRow>(selectHeadInBrief),
    version: db.prepare<[string, number], VersionRow>(selectVersion),
    history: db.prepare<[string, number, number], PastRow>(selectHistory),
    key: db.prepare<[string, string], KeyRecord>(selectKey),
    summaries: db.prepare<[], SummaryRow>(selectSummaries),
    summariesSince: db.prepare<[number], SummaryRow>(selectSummariesSince),
    summary: db.prepare<[string], SummaryRow>(selectSummary),
    presence: db.prepare<[number], PresenceRecord>(
      `SELECT name AS id, data, expires_at AS expiresAt FROM claim
       WHERE kind = 'presence' AND expires_at > ? ORDER BY name`,
    ),
    lastSequence: db
      .prepare<[], number>(
        'SELECT max(v.sequence) FROM head h CROSS JOIN version v ON v.sequence = h.sequence AND v.seal IS NOT NULL',
      )
      .pluck(),
    mark: db
      .prepare<[number], string>(
        "SELECT concat_ws(' ', namespace, version, time, author, seal) FROM version WHERE sequence = ?",
      )
      .pluck(),
    headsSince: db.prepare<[number], { readonly namespace: string; readonly settled: number | null }>(
      `SELECT v.namespace, v.sequence AS settled FROM version v
       JOIN head h ON h.namespace = v.namespace AND h.sequence = v.sequence WHERE v.sequence > ? AND v.seal IS NOT NULL
       UNION ALL
       SELECT v.namespace, NULL FROM version v JOIN head h ON h.namespace = v.namespace AND h.sequence = v.sequence
       WHERE v.seal IS NULL
       ORDER BY 2`,
    ),
    refusals: db.prepare<[], RefusedRow>('SELECT * FROM refused_text ORDER BY namespace'),
    unsettled: db
      .prepare<[], string>(
        `SELECT v.namespace FROM version v JOIN head h ON h.namespace = v.namespace AND h.sequence = v.sequence
         WHERE v.seal IS NULL ORDER BY v.namespace`,
      )
      .pluck(),
    unsettledRow: db.prepare<[string], UnsettledRow>(selectUnsettled),
    isUnsettled: db.prepare<[string], number>(selectIsUnsettled).pluck(),
  }
}

/** Whether a head that is known in brief is this one. */
function isOf(brief: VersionRow, row: VersionRow | undefined): boolean {
  return row?.namespace === brief.namespace && row.version === brief.version && row.seal === brief.seal
}

function versionOf(row: VersionRow | undefined): Version | undefined {
  return row === undefined ? undefined : versionFromRow(row)
}
