import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../runtime/log.ts'
import { DirectoryLock, lockExpiryMs } from '../../../storage/snapshot/directory-lock.ts'
import { SnapshotDirectory } from '../../../storage/snapshot/snapshot-directory.ts'
import { SnapshotWriter } from '../../../storage/snapshot/snapshot-writer.ts'
import type { Version } from '../../../storage/store.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { realTurn, tempDirectory, turnUntil } from '../store.fixture.ts'

let temporary: ReturnType<typeof tempDirectory>
let clock: FakeClock
beforeEach(() => {
  temporary = tempDirectory()
  clock = new FakeClock()
})
afterEach(() => temporary.remove())

const meta = { author: 'ann', verified: false, message: '', time: 1, parent: 0 }
const headOf = (namespace: string): Version => ({ namespace, version: 1, text: '/a => /b', meta })
const fileOf = (namespace: string): string => `${createHash('sha256').update(namespace).digest('hex')}.json`

function openDirectory(lines: LogLine[] = []): SnapshotDirectory {
  return new SnapshotDirectory({ path: temporary.path, origin: 'here', log: recordingLog(lines) })
}

describe('the directory of a snapshot', () => {
  it('is not tidied of what is being written', async () => {
    const directory = openDirectory()
    const isTemporary = (file: string): boolean => file.endsWith('.new')
    for (let n = 0; n < 5; n++) {
      const writing = directory.writeHead({ savedAt: 1, head: headOf(`ns-${n}`) }, { usedAt: 1, isNew: false })
      while (!readdirSync(temporary.path).some(isTemporary) && !readdirSync(temporary.path).includes(fileOf(`ns-${n}`)))
        await realTurn()
      await directory.tidy()
      await writing
    }
    expect(readdirSync(temporary.path)).toHaveLength(5)
  })

  it('with very many foreign files complains of some', async () => {
    const lines: LogLine[] = []
    for (let n = 0; n < 50; n++) writeFileSync(join(temporary.path, fileOf(`ns-${n}`)), 'hello')
    for await (const kept of openDirectory(lines).kept()) expect.unreachable(kept.namespace)
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(20)
  })
})

describe('a head that cannot be written', () => {
  it('keeps no other from the disk, nor the listing', async () => {
    const directory = openDirectory()
    mkdirSync(join(temporary.path, fileOf('bad'), 'in the way'), { recursive: true })
    const writer = new SnapshotWriter({ directory, clock, log: silentLog, mayWrite: () => true })
    for (const namespace of ['bad', 'good']) writer.putHead(headOf(namespace))
    writer.putListing([])
    clock.advance(1_000)
    const files = (): readonly string[] => readdirSync(temporary.path)
    await turnUntil(clock, 'the others', () => files().includes(fileOf('good')) && files().includes('namespaces.json'))
    expect([writer.pending('bad') === undefined, writer.kept.has('bad')]).toEqual([false, false])
  })
})

describe('the lock of a directory', () => {
  const path = (): string => join(temporary.path, 'owner.json')
  const other = JSON.stringify({ owner: 'another', host: 'elsewhere.example', pid: 1 })

  it('is not ours any more when it was not touched for so long that another may have it', async () => {
    const lock = new DirectoryLock(path(), clock)
    expect([await lock.claim(), lock.isOurs]).toEqual([{ isNew: true }, true])
    clock.advance(lockExpiryMs)
    expect([lock.isOurs, await lock.claim(), lock.isOurs]).toEqual([false, { isNew: false }, true])
  })

  it('of another that was touched in the future runs out by our clock', async () => {
    writeFileSync(path(), other)
    const inAnHour = clock.now() / 1000 + 3_600
    utimesSync(path(), inAnHour, inAnHour)
    const lock = new DirectoryLock(path(), clock)
    const taken = { other: 'process 1 on elsewhere.example', isNew: false }
    expect(await lock.claim()).toEqual(taken)
    clock.advance(lockExpiryMs - 1)
    expect(await lock.claim()).toEqual(taken)
    clock.advance(1)
    expect([await lock.claim(), lock.isOurs]).toEqual([{ isNew: true }, true])
  })

  it('stays with another that goes on touching it, and is not released by us', async () => {
    const lock = new DirectoryLock(path(), clock)
    for (let n = 0; n < 5; n++) {
      writeFileSync(path(), other)
      utimesSync(path(), clock.now() / 1000, clock.now() / 1000)
      expect(await lock.claim()).toMatchObject({ isNew: false })
      clock.advance(lockExpiryMs / 3)
    }
    await lock.release()
    expect(readdirSync(temporary.path)).toContain('owner.json')
  })
})
