// The tables of a database file and how an older file is brought up to date. Knows nothing of what the rows mean.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { sealOf } from './rows.ts'

/** Marks a file as ours (`PRAGMA application_id`); spells "nmpl". */
export const applicationId = 0x6e6d706c

/** Each entry takes a file from its index to the next schema version. Entries never change once released; new ones are appended. */
const migrations: readonly (string | ((db: Database.Database) => void))[] = [
  `
  CREATE TABLE version (
    sequence INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    version INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    author TEXT NOT NULL,
    verified INTEGER NOT NULL,
    message TEXT NOT NULL,
    time INTEGER NOT NULL,
    idempotency_key TEXT,
    bytes INTEGER NOT NULL,
    text TEXT,
    UNIQUE (namespace, version)
  ) STRICT;
  CREATE TABLE head (namespace TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE idempotency (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    version INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (namespace, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_time ON idempotency (time);
  CREATE TABLE claim (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  `,
  db => {
    db.exec('ALTER TABLE version ADD COLUMN address TEXT')
    db.exec('ALTER TABLE version ADD COLUMN seal TEXT')
    db.function('seal_of', { deterministic: true }, text => sealOf(typeof text === 'string' ? text : undefined))
    db.exec('UPDATE version SET seal = seal_of(text)')
  },
]

/** The newest schema that this program reads and writes. */
export const newestSchema = migrations.length

/** Brings the file up to date in one transaction. Throws store-corrupt for another program's file or a newer schema. */
export function migrate(db: Database.Database, now: number): void {
  const present = readSchema(db)
  if (present === newestSchema) return
  const run = db.transaction(() => {
    for (const migration of migrations.slice(readSchema(db))) {
      if (typeof migration === 'string') db.exec(migration)
      else migration(db)
    }
    db.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT')
    db.prepare('INSERT OR REPLACE INTO schema_version (version, time) VALUES (?, ?)').run(newestSchema, now)
    db.pragma(`application_id = ${applicationId}`)
  })
  run.immediate()
}

/** 0 for an empty file. */
function readSchema(db: Database.Database): number {
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (tables === 0) return 0
  if (db.pragma('application_id', { simple: true }) !== applicationId)
    throw new NamingError('store-corrupt', 'it is a SQLite database of another program')
  const version = db.prepare('SELECT max(version) FROM schema_version').pluck().get()
  if (typeof version !== 'number') throw new NamingError('store-corrupt', 'its schema version cannot be read')
  if (version > newestSchema)
    throw new NamingError(
      'store-corrupt',
      `a newer Nameplane wrote it (schema ${version}, this one knows up to ${newestSchema})`,
      { detail: { schema: version, newestKnown: newestSchema } },
    )
  return version
}
