import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertDurable } from '../../storage/sqlite/connection.ts'
import { Writer } from '../../storage/sqlite/writer.ts'
import { tempDirectory } from '../storage/store.fixture.ts'
import { crashRound } from './crash-rig.fixture.ts'

describe('S8: an acknowledged write survives', () => {
  let directory: ReturnType<typeof tempDirectory>
  beforeEach(() => {
    directory = tempDirectory()
  })
  afterEach(() => directory.remove())

  it('loses no acknowledged version and tears none over three kills with SIGKILL', async () => {
    const path = join(directory.path, 'crash.db')
    let stored = 0
    for (let round = 0; round < 3; round++) {
      const outcome = await crashRound(path, 5 + ((round * 17) % 50))
      expect(outcome.faults).toEqual([])
      expect(outcome.acknowledged).toBeGreaterThan(0)
      expect(outcome.stored - stored).toBeGreaterThanOrEqual(outcome.acknowledged)
      stored = outcome.stored
    }
  })

  it('writes through a log that is synchronised at every commit', () => {
    const writer = new Writer(join(directory.path, 'store.db'), 0)
    const pragma = (name: string): unknown => writer.connection.pragma(name, { simple: true })
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('fullfsync')]).toEqual(['wal', 2, 1])
    writer.close()
  })

  it('refuses to start when the file cannot have such a log', () => {
    const db = new Database(':memory:')
    expect(() => assertDurable(name => db.pragma(name, { simple: true }))).toThrow(/journal_mode is memory, not wal/)
    db.close()
  })

  it.each([
    ['synchronous', 1],
    ['synchronous', 0],
    ['journal_mode', 'delete'],
    ['query_only', 1],
  ])('refuses a connection whose %s is %s', (name, value) => {
    const good: Record<string, unknown> = { journal_mode: 'wal', synchronous: 2, query_only: 0 }
    expect(() => assertDurable(pragma => good[pragma])).not.toThrow()
    expect(() => assertDurable(pragma => (pragma === name ? value : good[pragma]))).toThrow(/would not be durable/)
  })
})
