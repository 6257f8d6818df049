// The tables of a database file and how an older file is brought up to date. Knows nothing of what the rows mean.
import type Database from 'better-sqlite3'
import { NamingError } from '../../naming/errors.ts'
import { migrations } from './migrations.ts'

/** Marks a file as ours (`PRAGMA application_id`); spells "nmpl". */
export const applicationId = 0x6e6d706c

/** The newest schema that this program reads and writes. */
export const newestSchema = migrations.length

/** Brings the file up to date in one transaction. Throws store-corrupt for another program's file or a newer schema. */
export function migrate(db: Database.Database, now: number): void {
  const present = readSchema(db)
  if (present === newestSchema) return
  const run = db.transaction(() => {
    for (const migration of migrations.slice(readSchema(db))) migration(db)
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
