// Another program's hands on a SQLite store: plain statements on a connection of its own, as a person with a shell would type them.
import Database from 'better-sqlite3'

/** `content` is taken byte by byte, so that it may be no UTF-8. */
export interface OutsideHands {
  /** A new row above all others, and the head moved to it. */
  insert(namespace: string, content: Uint8Array | string | null, version?: number): void
  /** The text of the row that is head, changed where it stands. */
  update(namespace: string, content: Uint8Array | string): void
  /** Any statement. */
  run(sql: string): void
  close(): void
}

export function outsideHands(path: string): OutsideHands {
  const db = new Database(path)
  const bytes = (content: Uint8Array | string | null): Buffer | null => (content === null ? null : Buffer.from(content))
  return {
    insert: (namespace, content, version) => {
      db.transaction(() => {
        const last = Number(
          db.prepare('SELECT max(version) FROM version WHERE namespace = ?').pluck().get(namespace) ?? 0,
        )
        const { lastInsertRowid } = db
          .prepare(
            `INSERT INTO version (namespace, version, parent, author, verified, message, time, bytes, text)
             VALUES (?, ?, ?, 'by hand', 0, '', 5, 0, CAST(? AS TEXT))`,
          )
          .run(namespace, version ?? last + 1, last, bytes(content))
        db.prepare('INSERT INTO head VALUES (?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence').run(
          namespace,
          lastInsertRowid,
        )
      }).immediate()
    },
    update: (namespace, content) => {
      db.prepare(
        'UPDATE version SET text = CAST(? AS TEXT) WHERE sequence = (SELECT sequence FROM head WHERE namespace = ?)',
      ).run(bytes(content), namespace)
    },
    run: sql => {
      db.exec(sql)
    },
    close: () => db.close(),
  }
}
