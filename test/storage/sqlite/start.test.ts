import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { openWriteConnection } from '../../../storage/sqlite/connection.ts'
import { newestSchema } from '../../../storage/sqlite/schema.ts'
import { isBusy, sqliteError } from '../../../storage/sqlite/sqlite-error.ts'
import { openSqliteStore } from '../../../storage/sqlite/sqlite-store.ts'
import { Writer } from '../../../storage/sqlite/writer.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { tempDirectory, testEnv } from '../store.fixture.ts'

describe('opening a database file', () => {
  let directory: ReturnType<typeof tempDirectory>
  let path: string
  beforeEach(() => {
    directory = tempDirectory()
    path = join(directory.path, 'store.db')
  })
  afterEach(() => directory.remove())

  const failure = (at = path): NamingError => {
    try {
      openWriteConnection(at, 0).close()
    } catch (error) {
      return NamingError.from(error)
    }
    throw new Error('it was opened')
  }

  it('makes the file and the directories that are missing', () => {
    const deep = join(directory.path, 'a/b/c/store.db')
    openWriteConnection(deep, 0).close()
    expect(readdirSync(join(directory.path, 'a/b/c'))).toEqual(['store.db'])
  })

  it('makes files for their owner alone, and leaves the mode of one that is there', () => {
    const modes = (): number[] => [path, `${path}-wal`, `${path}-shm`].map(file => statSync(file).mode & 0o777)
    const created = openWriteConnection(path, 0)
    expect(modes()).toEqual([0o600, 0o600, 0o600])
    created.close()
    chmodSync(path, 0o640)
    const opened = openWriteConnection(path, 0)
    expect(modes()).toEqual([0o640, 0o640, 0o640])
    opened.close()
  })

  it('takes an empty file', () => {
    closeSync(openSync(path, 'w'))
    openWriteConnection(path, 0).close()
  })

  it('says that a directory is no file', () => {
    expect(failure(directory.path).message).toBe(
      `The database ${directory.path} cannot be opened: it is a directory. Name a file in it.`,
    )
  })

  it('says that a file on the way is no directory', () => {
    writeFileSync(path, '')
    expect(failure(join(path, 'store.db'))).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('a part of the path is not a directory'),
    })
  })

  it('says that symbolic links run in a circle', () => {
    symlinkSync(path, path)
    expect(failure().message).toMatch(/symbolic links run in a circle/)
  })

  it('says that a file is not a database, and leaves it as it is', () => {
    writeFileSync(path, 'no database, but long enough to be looked at. '.repeat(100))
    expect(failure()).toMatchObject({
      code: 'store-corrupt',
      message: expect.stringContaining('is not a SQLite database'),
    })
    expect(readdirSync(directory.path)).toEqual(['store.db'])
  })

  it("refuses another program's database", () => {
    const other = new Database(path)
    other.exec('CREATE TABLE theirs (x)')
    other.close()
    expect(failure()).toMatchObject({ code: 'store-corrupt', message: expect.stringMatching(/of another program\. /) })
  })

  it('refuses the database of a newer version, naming both schemas', () => {
    const db = openWriteConnection(path, 0)
    db.prepare('INSERT INTO schema_version VALUES (?, 0)').run(newestSchema + 1)
    db.close()
    expect(failure().message).toBe(
      `The database ${path} cannot be opened: a newer Nameplane wrote it (schema ${newestSchema + 1}, this one knows up to ${newestSchema}). Start that version instead.`,
    )
  })

  it('records the schema once, however often it is opened', () => {
    openWriteConnection(path, 5).close()
    const db = openWriteConnection(path, 6)
    expect(db.prepare('SELECT * FROM schema_version').all()).toEqual([{ version: newestSchema, time: 5 }])
    db.close()
  })

  it('brings each failure of the start through the worker as one line', async () => {
    mkdirSync(path)
    const env = testEnv(new FakeClock())
    const opening = openSqliteStore({ path }, env)
    await expect(opening).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.not.stringContaining('\n'),
    })
    await expect(opening).rejects.toThrow(/it is a directory/)
  })

  it.each([
    ['EACCES', 'store-unavailable', 'permission denied'],
    ['EROFS', 'store-unavailable', 'read-only'],
    ['ENOSPC', 'store-full', 'no room'],
    ['SQLITE_FULL', 'store-full', 'no room'],
    ['SQLITE_IOERR_SHMSIZE', 'store-full', 'no room'],
    ['SQLITE_IOERR_FSYNC', 'store-unavailable', 'disk failed'],
    ['SQLITE_BUSY_SNAPSHOT', 'store-busy', 'locked'],
    ['SQLITE_CORRUPT_INDEX', 'store-corrupt', 'damaged'],
    ['SQLITE_READONLY_DIRECTORY', 'store-unavailable', 'read-only'],
    ['SQLITE_CANTOPEN', 'store-unavailable', 'cannot be opened'],
    ['SQLITE_TOOBIG', 'store-unavailable', 'made up'],
  ])('explains %s as %s, naming the path, the reason and a cure', (code, expected, words) => {
    const error = sqliteError(path, 'cannot be opened', Object.assign(new Error('made\nup'), { code }))
    expect(error.code).toBe(expected)
    expect(error.message).toMatch(/^The database .+ cannot be opened: .+\. .+\.$/)
    expect(error.message).toContain(path)
    expect(error.message).toContain(words)
    expect(isBusy(error)).toBe(expected === 'store-busy')
  })

  it('refuses writes once the file was removed or replaced under it, for nobody would find them again', async () => {
    const env = testEnv(new FakeClock())
    const store = await openSqliteStore({ path }, env)
    await store.write(request('web', '/a=>/b'))
    unlinkSync(path)
    expect(await codeOf(store.write(request('web', '/a=>/c')))).toBe('store-unavailable')
    await store.close()
    env.kernel.close()
  })

  it('says that a stored page is damaged, and goes on with the others', () => {
    const writer = new Writer(path, 0)
    writer.run([{ kind: 'write', request: request('web', 'x'.repeat(100_000)) }], 0)
    writer.close()
    truncateSync(path, 4096)
    expect(failure().code).toBe('store-corrupt')
  })
})
