// The steps that bring a database file from one schema version to the next. Entries never change once released.
import type Database from 'better-sqlite3'
import { sealOf } from './rows.ts'

/** Runs inside a transaction. */
export type Migration = (db: Database.Database) => void

const sql =
  (text: string): Migration =>
  db => {
    db.exec(text)
  }

/** Rows of `version` have an order of their own, `sequence`, over all namespaces: a head only ever moves to a greater one. */
const versions = sql(`
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
`)

/**
 * A row with a seal has gone through a server. One without is somebody else's, and is no version before a server has
 * judged it. The text stands last, so that what is read of a row without its text costs the same for a large one.
 */
const seals: Migration = db => {
  db.function('seal_of', text => sealOf(typeof text === 'string' ? text : undefined))
  db.exec(`
    CREATE TABLE sealed_version (
      sequence INTEGER PRIMARY KEY,
      namespace TEXT NOT NULL,
      version INTEGER NOT NULL,
      parent INTEGER NOT NULL,
      author TEXT NOT NULL,
      verified INTEGER NOT NULL,
      message TEXT NOT NULL,
      time INTEGER NOT NULL,
      address TEXT,
      idempotency_key TEXT,
      bytes INTEGER NOT NULL,
      seal TEXT,
      text TEXT,
      UNIQUE (namespace, version)
    ) STRICT;
    INSERT INTO sealed_version
    SELECT sequence, namespace, version, parent, author, verified, message, time, NULL, idempotency_key, bytes, seal_of(text), text
    FROM version;
    DROP TABLE version;
    ALTER TABLE sealed_version RENAME TO version;
    CREATE INDEX version_unsealed ON version (namespace) WHERE seal IS NULL;
    CREATE TABLE refused_text (
      namespace TEXT PRIMARY KEY,
      reason TEXT NOT NULL,
      "offset" INTEGER,
      line INTEGER,
      "column" INTEGER,
      bytes INTEGER NOT NULL,
      since INTEGER NOT NULL,
      text BLOB
    ) STRICT, WITHOUT ROWID;
  `)
  db.exec(guards)
}

/** True while the head that it stands in was sealed. */
const oldHeadIsSealed = 'EXISTS (SELECT 1 FROM version WHERE sequence = OLD.sequence AND seal IS NOT NULL)'

/**
 * What keeps versions as they are under other programs' hands, which run these with their own statements: the text of a
 * head that is edited in place becomes a new version instead, and what would change the past is refused to them.
 */
const guards = `
  CREATE TRIGGER version_edited BEFORE UPDATE OF text ON version
  WHEN OLD.seal IS NOT NULL AND NEW.text IS NOT OLD.text
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: only the newest version of a namespace can be edited')
    WHERE OLD.sequence IS NOT (SELECT sequence FROM head WHERE namespace = OLD.namespace);
    INSERT INTO version (namespace, version, parent, author, verified, message, time, bytes, text)
    SELECT OLD.namespace, max(version) + 1, OLD.version,
      CASE WHEN NEW.author IS OLD.author THEN 'external' ELSE NEW.author END, 0,
      CASE WHEN NEW.message IS OLD.message THEN 'changed in sqlite, not through Nameplane' ELSE NEW.message END,
      CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 0, NEW.text
    FROM version WHERE namespace = OLD.namespace;
    UPDATE head SET sequence = last_insert_rowid() WHERE namespace = OLD.namespace;
    SELECT RAISE(IGNORE);
  END;
  CREATE TRIGGER version_replaced BEFORE INSERT ON version
  WHEN NEW.seal IS NULL AND EXISTS (SELECT 1 FROM version WHERE seal IS NOT NULL
    AND (sequence = NEW.sequence OR (namespace = NEW.namespace AND version = NEW.version)))
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: a version never changes; insert one with a new number');
  END;
  CREATE TRIGGER version_altered BEFORE UPDATE ON version
  WHEN OLD.seal IS NOT NULL AND NEW.text IS OLD.text
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: a version never changes');
  END;
  CREATE TRIGGER version_dropped BEFORE DELETE ON version
  WHEN OLD.seal IS NOT NULL AND OLD.sequence IS (SELECT sequence FROM head WHERE namespace = OLD.namespace)
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: the newest version of a namespace cannot be dropped');
  END;
  CREATE TRIGGER head_replaced BEFORE INSERT ON head
  WHEN NEW.sequence < (SELECT sequence FROM head WHERE namespace = NEW.namespace)
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: a head moves only forward; insert a new version with the old text');
  END;
  CREATE TRIGGER head_moved BEFORE UPDATE ON head
  WHEN (NEW.sequence < OLD.sequence OR NEW.namespace IS NOT OLD.namespace) AND ${oldHeadIsSealed}
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: a head moves only forward; insert a new version with the old text');
  END;
  CREATE TRIGGER head_dropped BEFORE DELETE ON head
  WHEN ${oldHeadIsSealed}
  BEGIN
    SELECT RAISE(ABORT, 'Nameplane: to delete a namespace, insert a new version without text');
  END;
`

export const migrations: readonly Migration[] = [versions, seals]
