import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMetrics } from '../../../runtime/metrics.ts'
import { LogKeeper } from '../../../storage/sqlite/log-keeper.ts'
import type { Checkpoint } from '../../../storage/sqlite/writer.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../../fakes/log.fake.ts'
import { realTurn, tempDirectory } from '../store.fixture.ts'

const retryMs = 5_000

describe('the keeper of the log', () => {
  let directory: ReturnType<typeof tempDirectory>
  let log: string
  let clock: FakeClock
  let lines: LogLine[]
  let answer: Checkpoint
  let checkpoints: number
  let keeper: LogKeeper
  const metrics = createMetrics()

  beforeEach(() => {
    directory = tempDirectory()
    const path = join(directory.path, 'store.db')
    log = `${path}-wal`
    writeFileSync(log, 'more than ten bytes')
    clock = new FakeClock()
    lines = []
    checkpoints = 0
    const checkpoint = async (): Promise<Checkpoint> => {
      checkpoints++
      return answer
    }
    keeper = new LogKeeper({ path, limitBytes: 10, clock, log: recordingLog(lines), metrics, checkpoint })
  })
  afterEach(() => {
    keeper.stop()
    directory.remove()
  })

  it('says once why the log cannot be cut back, tries again by itself, and says when it could', async () => {
    answer = { kind: 'failed', error: { code: 'store-full', message: 'The disk has no room.', detail: {} } }
    keeper.written()
    await realTurn()
    expect(lines).toMatchObject([{ level: 'warn', facts: { reason: 'The disk has no room.', walBytes: 19 } }])
    clock.advance(retryMs)
    await realTurn()
    answer = { kind: 'cut' }
    clock.advance(retryMs)
    await realTurn()
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'debug', 'info'])
    expect(lines[2]).toMatchObject({ facts: { heldMs: 2 * retryMs } })
    const { body } = await metrics.expose()
    expect(body).toContain('nameplane_sqlite_checkpoints_total{outcome="failed"} 2')
    expect(body).toContain('nameplane_sqlite_checkpoints_total{outcome="cut"} 1')
    expect(clock.waiting).toBe(0)
  })

  it('says so too when SQLite has cut it back by itself, and warns again of the next time', async () => {
    answer = { kind: 'held' }
    keeper.written()
    await realTurn()
    truncateSync(log, 10)
    clock.advance(retryMs)
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info'])
    writeFileSync(log, 'more than ten bytes')
    keeper.written()
    await realTurn()
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'info', 'warn'])
  })

  it('fails no write and ends no server when the file system does not tell its size', () => {
    rmSync(log)
    symlinkSync(log, log)
    expect(() => keeper.written()).not.toThrow()
  })

  it('looks at its size at most ten times a second, and never while a try is under way', async () => {
    answer = { kind: 'cut' }
    for (let writes = 0; writes < 100; writes++) keeper.written()
    await realTurn()
    keeper.written()
    expect(checkpoints).toBe(1)
    clock.advance(100)
    keeper.written()
    expect(checkpoints).toBe(2)
  })

  it('tries no more once it is stopped', async () => {
    answer = { kind: 'held' }
    keeper.written()
    await realTurn()
    keeper.stop()
    clock.advance(retryMs)
    keeper.written()
    expect(checkpoints).toBe(1)
  })
})
