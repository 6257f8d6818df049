import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import type { BackupReport } from '../../runtime/kind.ts'
import { runBackup } from '../../server/backup.ts'
import { backupSqlite } from '../../storage/sqlite/backup.ts'
import { Reader } from '../../storage/sqlite/reader.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { type Operation, Writer } from '../../storage/sqlite/writer.ts'
import { systemClock } from '../../watch/clock.ts'
import { request } from '../contract/store.contract.ts'
import { tempDirectory, testEnv } from '../storage/store.fixture.ts'

const put = (namespace: string, text: string): Operation => ({ kind: 'write', request: request(namespace, text) })

describe('a backup of a SQLite store', () => {
  let directory: ReturnType<typeof tempDirectory>
  let path: string
  let file: string
  beforeEach(() => {
    directory = tempDirectory()
    path = join(directory.path, 'store.db')
    file = join(directory.path, 'backups', 'copy.db')
    mkdirSync(join(directory.path, 'backups'))
  })
  afterEach(() => directory.remove())

  const fill = (...operations: readonly Operation[]): void => {
    const writer = new Writer(path, 0)
    writer.run(operations, 0)
    writer.close()
  }
  const backUp = (isForced = false): Promise<BackupReport> =>
    backupSqlite(path, { file, isForced, onProgress: () => {} })
  const refusal = (backup: Promise<unknown>): Promise<string> =>
    backup.then(
      () => 'it was made',
      (error: unknown) => NamingError.from(error).message,
    )

  it('taken while clients write has all that was answered before it, and a state that was', async () => {
    const env = testEnv(systemClock)
    const store = await openSqliteStore({ path }, env)
    let last = 0
    let isOver = false
    const writing = (async () => {
      while (!isOver) last = (await store.write(request('web', `/n => /${last + 1} ;`))).written.version
    })()
    while (last < 20) await systemTurn()
    const before = last
    const report = await backUp()
    isOver = true
    await writing
    const reader = new Reader(file)
    const copied = reader.head('web')?.version ?? 0
    expect(copied).toBeGreaterThanOrEqual(before)
    expect(copied).toBeLessThanOrEqual(last)
    const history = reader.history('web', { limit: 1_000_000 })
    expect(history.map(({ version }) => version)).toEqual(Array.from({ length: copied }, (_, i) => copied - i))
    expect(report).toMatchObject({ namespaces: 1, versions: copied })
    reader.close()
    await store.close()
    env.kernel.close()
  })

  it('starts a store again, with its numbers going on', async () => {
    fill(put('web', '/a => /b'), put('web', '/a => /c'), put('gone', '/a => /b'))
    await backUp()
    const env = testEnv(systemClock)
    const store = await openSqliteStore({ path: file }, env)
    expect(await store.version('web', 1)).toMatchObject({ text: '/a => /b', meta: { author: 'ann' } })
    expect((await store.write(request('web', '/a => /d'))).written.version).toBe(3)
    await store.close()
    env.kernel.close()
  })

  it('has what stands in the log alone, after a server was killed', async () => {
    const writer = new Writer(path, 0)
    writer.run([put('web', '/a => /b')], 0)
    expect(await backUp()).toMatchObject({ versions: 1 })
    writer.close()
  })

  it('takes the place of no file unless it is told to', async () => {
    fill(put('web', '/a => /b'))
    writeFileSync(file, 'precious')
    expect(await refusal(backUp())).toBe(`${file} exists already. Name another file, or replace it with --force.`)
    expect(readFileSync(file, 'utf8')).toBe('precious')
    await backUp(true)
    expect(new Reader(file).head('web')?.version).toBe(1)
  })

  it("is its owner's alone, and has the mode of the file that it replaces", async () => {
    fill(put('web', '/a => /b'))
    await backUp()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(file, 0o640)
    await backUp(true)
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('is never the database itself', async () => {
    fill(put('web', '/a => /b'))
    file = path
    expect(await refusal(backUp(true))).toMatch(/is the database itself/)
  })

  it.each([
    ['there is no database', () => {}, /There is no database .+ run this where it runs/],
    ['it is no database', () => writeFileSync(path, 'no database '.repeat(500)), /is not a SQLite database/],
    [
      "it is another program's",
      () => void new Database(path).exec('CREATE TABLE theirs (x)').close(),
      /none of Nameplane/,
    ],
    [
      'a stored text is not the one that was written',
      () => {
        fill(put('web', '/a => /b ; # the text of a version that a disk has changed'))
        const bytes = readFileSync(path, 'latin1')
        writeFileSync(path, bytes.replace('a disk has changed', 'a disk has CHANGED'), 'latin1')
      },
      /version 1 of 'web' is not what was written/,
    ],
  ])('is not made when %s, and leaves nothing behind', async (_what, prepare, message) => {
    prepare()
    writeFileSync(file, 'an older backup')
    expect(await refusal(backUp(true))).toMatch(message)
    expect(readFileSync(file, 'utf8')).toBe('an older backup')
    expect(readdirSync(join(directory.path, 'backups'))).toEqual(['copy.db'])
  })

  it('leaves nothing behind when a signal ends it', async () => {
    fill(put('web', '/a => /b'))
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const backup = backUp()
    const backups = (): string[] => readdirSync(join(directory.path, 'backups'))
    expect(backups()).toEqual([`.copy.db.${process.pid}.partial`])
    process.emit('SIGINT', 'SIGINT')
    expect(backups()).toEqual([])
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGINT')
    await Promise.allSettled([backup])
    kill.mockRestore()
  })

  it('needs a directory, and says which', async () => {
    fill(put('web', '/a => /b'))
    file = join(directory.path, 'none', 'copy.db')
    expect(await refusal(backUp())).toBe(
      `There is no directory ${join(directory.path, 'none')}. Make it, or name another file.`,
    )
  })
})

describe('nameplane backup', () => {
  let directory: ReturnType<typeof tempDirectory>
  let told: string
  beforeEach(() => {
    directory = tempDirectory()
    told = ''
    vi.spyOn(process.stderr, 'write').mockImplementation(chunk => {
      told += String(chunk)
      return true
    })
    return () => {
      vi.restoreAllMocks()
      directory.remove()
    }
  })

  it('tells what it has copied', async () => {
    const path = join(directory.path, 'store.db')
    const file = join(directory.path, 'copy.db')
    const writer = new Writer(path, 0)
    writer.run([put('web', '/a => /b')], 0)
    writer.close()
    expect(await runBackup([file, '--database', path])).toBe(0)
    expect(told).toMatch(/copy\.db: 1 namespaces, 1 versions, \d+\.\d MB; checked\n$/)
    expect(existsSync(file)).toBe(true)
  })

  it.each([
    ['etcd', /etcdctl snapshot save FILE.+namerctl export/],
    ['consul', /consul snapshot save FILE.+namerctl export/],
    ['memory', /nothing of it outlives the server/],
  ])('says what to do where the storage is %s', async (kind, advice) => {
    const config = join(directory.path, 'server.yaml')
    writeFileSync(config, `storage: { kind: ${kind} }\n`)
    expect(await runBackup(['copy.db', '--config', config])).toBe(1)
    expect(told).toMatch(advice)
  })

  it.each([
    [[], /exactly one FILE/],
    [['a', 'b'], /exactly one FILE/],
    [['a', '--config', 'c', '--database', 'd'], /exclude each other/],
    [['a', '--to', 'b'], /'--to'/],
  ])('is a usage error with %j', async (argv, message) => {
    expect(await runBackup(argv)).toBe(2)
    expect(told).toMatch(message)
  })
})

const systemTurn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })
