import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { migrations } from '../../../storage/sqlite/migrations.ts'
import { Reader } from '../../../storage/sqlite/reader.ts'
import { applicationId } from '../../../storage/sqlite/schema.ts'
import { Writer } from '../../../storage/sqlite/writer.ts'
import { request } from '../../contract/store.contract.ts'
import { tempDirectory } from '../store.fixture.ts'

/** A file as the first released layout had it: two versions and a deletion. */
function makeSchema1(path: string): void {
  const db = new Database(path)
  migrations[0]?.(db)
  db.exec(`
    CREATE TABLE schema_version (version INTEGER PRIMARY KEY, time INTEGER NOT NULL) STRICT;
    INSERT INTO schema_version VALUES (1, 0);
    PRAGMA application_id = ${applicationId};
    INSERT INTO version VALUES (1, 'web', 1, 0, 'ann', 1, 'first', 10, 'key', 7, '/a=>/b1');
    INSERT INTO version VALUES (2, 'gone', 1, 0, 'ann', 0, '', 11, NULL, 7, '/a=>/b1');
    INSERT INTO version VALUES (3, 'web', 2, 1, 'bo', 0, '', 12, NULL, 7, '/a=>/b2');
    INSERT INTO version VALUES (4, 'gone', 2, 1, 'bo', 0, '', 13, NULL, 0, NULL);
    INSERT INTO head VALUES ('web', 3), ('gone', 4);
    INSERT INTO idempotency VALUES ('web', 'key', 'f', 1, 10);
  `)
  db.close()
}

it('a file of the first layout keeps every version, and its heads are taken as ours', () => {
  const directory = tempDirectory()
  const path = join(directory.path, 'store.db')
  makeSchema1(path)
  const writer = new Writer(path, 20)
  const reader = new Reader(path)
  expect(reader.head('web')).toEqual({
    namespace: 'web',
    version: 2,
    text: '/a=>/b2',
    meta: { author: 'bo', verified: false, message: '', time: 12, parent: 1 },
  })
  expect(reader.version('web', 1)).toMatchObject({ text: '/a=>/b1', meta: { idempotencyKey: 'key', verified: true } })
  expect(reader.summaries()).toMatchObject([
    { namespace: 'gone', version: 2, deleted: true },
    { namespace: 'web', version: 2, deleted: false },
  ])
  expect(reader.unsettled()).toEqual([])
  expect(writer.run([{ kind: 'write', request: request('web', '/a=>/b3') }], 21)).toMatchObject({
    outcomes: [{ kind: 'written', result: { written: { version: 3 } } }],
  })
  writer.close()
  expect(() => new Writer(path, 22).close()).not.toThrow()
  reader.close()
  directory.remove()
})
