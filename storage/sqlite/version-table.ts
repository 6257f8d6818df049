// What the writer does to versions, heads and keys, inside a transaction that its caller begins and ends.
// Runs in the write worker; every refusal is a NamingError, after which the caller undoes what was done.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { hasVersions } from '../imported-versions.ts'
import type { Idempotency, Version, WriteRequest, WriteResult } from '../store.ts'
import {
  idempotencyKeptMs,
  type KeyRecord,
  keyOutlivedVersion,
  nextVersion,
  recallKey,
  refuseHead,
} from '../write-rules.ts'
import {
  aNumber,
  aText,
  insertVersion,
  type NextRow,
  rowFromVersion,
  selectHead,
  selectIsUnsettled,
  selectKey,
  selectNext,
  selectPointed,
  selectVersion,
  type VersionRow,
  versionFromRow,
} from './rows.ts'

/** A part of an imported history. Its rows are seen by nobody until the last part makes the head. */
export interface ImportPart {
  readonly namespace: string
  readonly versions: readonly Version[]
  readonly isFirst: boolean
  readonly isLast: boolean
  /** How many versions the parts have, up to this one. */
  readonly total: number
}

/** What a write has made. `sequence` is absent when that was made before. */
export interface Made {
  readonly result: WriteResult
  readonly sequence?: number
}

/** Old keys dropped with one write, so that no write pays for a long pause. */
const keysDroppedAtOnce = 1000

export class VersionTable {
  readonly #statements: Statements

  constructor(db: Database.Database) {
    this.#statements = prepare(db)
  }

  /**
   * `now` is ms since 1970. Throws what `Store.write` rejects with. Undefined, with nothing done, when something that
   * another program put in place of the head must be judged first.
   */
  write(request: WriteRequest, now: number): Made | undefined {
    const recalled = this.#recall(request, now)
    if (recalled !== undefined) return { result: recalled }
    const { namespace, idempotency } = request
    const pointed = this.#statements.pointed.get({ namespace })
    if (pointed?.seal === null) return undefined
    const next = pointed ?? this.#statements.next.get({ namespace })
    // Nearly always the head points to the newest row there is, which is then read once.
    const isHead = pointed?.namespace === namespace && pointed.version === pointed.highest
    const head = isHead ? versionFromRow(pointed) : this.#head(namespace)
    const refusal = refuseHead(request, head)
    if (refusal !== undefined) throw refusal
    if (head === undefined) this.#statements.dropAll.run(namespace)
    const written = above(next?.highest ?? 0, nextVersion(request, head, now))
    const sequence = this.#putHead(written)
    if (next?.is_refused === 1) this.#statements.clearRefused.run(namespace)
    if (idempotency !== undefined) this.#rememberKey(idempotency, written, now)
    return { result: { written, ...(head && { replaced: head }), repeated: false }, sequence }
  }

  /** Drops these versions; never a head. */
  forget(namespace: string, versions: readonly number[]): void {
    for (const version of versions) this.#statements.forget.run(namespace, version)
  }

  /**
   * Throws dtab-exists when there is a head; store-busy when another import of the namespace came in between. False, with
   * nothing done, when something must be judged first.
   */
  importPart({ namespace, versions, isFirst, isLast, total }: ImportPart): boolean {
    if (this.#isUnsettled(namespace)) return false
    const head = this.#head(namespace)
    if (head !== undefined) throw hasVersions(namespace, head.version)
    const { dropAll, insert, count } = this.#statements
    if (isFirst) dropAll.run(namespace)
    const last = versions.at(-1)
    for (const version of versions) if (version !== last || !isLast) insert.run(rowFromVersion(version))
    if (!isLast || last === undefined) return true
    this.#putHead(last)
    this.#statements.clearRefused.run(namespace)
    if (count.get(namespace) === total) return true
    throw new NamingError('store-busy', `Another import of '${namespace}' went on at the same time.`)
  }

  /** Drops what an import left that did not come to its end. */
  dropImport(namespace: string): void {
    if (this.#statements.hasHead.get(namespace) === undefined) this.#statements.dropAll.run(namespace)
  }

  #isUnsettled(namespace: string): boolean {
    return this.#statements.isUnsettled.get(namespace) === 1
  }

  #recall({ namespace, idempotency }: WriteRequest, now: number): WriteResult | undefined {
    if (idempotency === undefined) return undefined
    const known = this.#statements.key.get(namespace, idempotency.key)
    const version = recallKey(namespace, idempotency, known, now)
    if (version instanceof NamingError) throw version
    if (version === undefined) return undefined
    const written = this.#version(namespace, version)
    if (written === undefined) throw keyOutlivedVersion(namespace, idempotency, version)
    const replaced = this.#version(namespace, written.meta.parent)
    return { written, ...(replaced && { replaced }), repeated: true }
  }

  #rememberKey({ key, fingerprint }: Idempotency, written: Version, now: number): void {
    this.#statements.dropKeys.run(now - idempotencyKeptMs, keysDroppedAtOnce)
    this.#statements.putKey.run(written.namespace, key, fingerprint, written.version, now)
  }

  #putHead(version: Version): number {
    const { insert, moveHead } = this.#statements
    const { lastInsertRowid } = insert.run(rowFromVersion(version))
    moveHead.run(version.namespace, lastInsertRowid)
    return Number(lastInsertRowid)
  }

  #head(namespace: string): Version | undefined {
    const row = this.#statements.head.get(namespace)
    return row === undefined ? undefined : versionFromRow(row)
  }

  #version(namespace: string, version: number): Version | undefined {
    const row = this.#statements.version.get(namespace, version)
    return row === undefined ? undefined : versionFromRow(row)
  }
}

/** With a number above this one: nobody's is given out twice. */
function above(highest: number, version: Version): Version {
  return highest < version.version ? version : { ...version, version: highest + 1 }
}

type Statements = ReturnType<typeof prepare>

/** Every statement once, for the life of the connection. */
function prepare(db: Database.Database) {
  return {
    head: db.prepare<[string], VersionRow>(selectHead),
    version: db.prepare<[string, number], VersionRow>(selectVersion),
    isUnsettled: db.prepare<[string], number>(selectIsUnsettled).pluck(),
    hasHead: db.prepare<[string], number>('SELECT 1 FROM head WHERE namespace = ?').pluck(),
    pointed: db.prepare<[{ readonly namespace: string }], VersionRow & NextRow>(selectPointed),
    next: db.prepare<[{ readonly namespace: string }], NextRow>(selectNext),
    count: db.prepare<[string], number>(`SELECT count(*) FROM version WHERE namespace = ${aText}`).pluck(),
    insert: db.prepare<[VersionRow]>(insertVersion),
    moveHead: db.prepare<[string, number | bigint]>(
      'INSERT INTO head VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence',
    ),
    clearRefused: db.prepare<[string]>('DELETE FROM refused_text WHERE namespace = ?'),
    dropAll: db.prepare<[string]>(`DELETE FROM version WHERE namespace = ${aText}`),
    forget: db.prepare<[string, number]>(
      `DELETE FROM version WHERE namespace = ${aText} AND version = ${aNumber}
       AND sequence IS NOT (SELECT sequence FROM head h WHERE h.namespace = version.namespace)
       AND version IS NOT (SELECT n.version FROM version n WHERE n.namespace = version.namespace AND n.seal IS NOT NULL
         ORDER BY n.version DESC LIMIT 1)`,
    ),
    key: db.prepare<[string, string], KeyRecord>(selectKey),
    putKey: db.prepare<[string, string, string, number, number]>(
      'INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?)',
    ),
    dropKeys: db.prepare<[number, number]>(`DELETE FROM idempotency WHERE time <= ? LIMIT ${aNumber}`),
  }
}
