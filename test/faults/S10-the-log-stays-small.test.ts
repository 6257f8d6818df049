import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Env } from '../../runtime/env.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import type { Store } from '../../storage/store.ts'
import { request } from '../contract/store.contract.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'
import { tempDirectory, testEnv, turnUntil } from '../storage/store.fixture.ts'

const logBytes = 200_000
const text = `/a => /b ; # ${'x'.repeat(20_000)}`
/** One write with the pages around it. */
const writeBytes = 60_000
const retryMs = 5_000

describe('S10: the log of the database', () => {
  let directory: ReturnType<typeof tempDirectory>
  let path: string
  let clock: FakeClock
  let env: Env
  let lines: LogLine[]
  let store: Store
  beforeEach(async () => {
    directory = tempDirectory()
    path = join(directory.path, 'store.db')
    clock = new FakeClock()
    lines = []
    env = { ...testEnv(clock), log: recordingLog(lines) }
    store = await openSqliteStore({ path, logBytes }, env)
  })
  afterEach(async () => {
    await store.close()
    env.kernel.close()
    directory.remove()
  })

  const walBytes = (): number => statSync(`${path}-wal`).size
  const count = async (outcome: string): Promise<number> =>
    Number(
      new RegExp(`^nameplane_sqlite_checkpoints_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
        (await env.metrics.expose()).body,
      )?.[1] ?? 0,
    )
  /** The largest that the log was. */
  const write = async (times: number): Promise<number> => {
    let largest = 0
    for (let i = 0; i < times; i++) {
      clock.advance(100)
      await store.write(request('web', text))
      largest = Math.max(largest, walBytes())
    }
    return largest
  }

  it('stays near its limit however much is written, beside connections that are open and read now and then', async () => {
    const reader = new Database(path, { readonly: true })
    let largest = 0
    for (let i = 0; i < 10; i++) {
      largest = Math.max(largest, await write(5))
      reader.prepare('SELECT count(*) FROM version').get()
    }
    expect(largest).toBeLessThan(logBytes + 3 * writeBytes)
    expect(await count('cut')).toBeGreaterThan(3)
    expect(await count('held')).toBe(0)
    expect((await env.metrics.expose()).body).toMatch(/^nameplane_sqlite_wal_bytes \d+$/m)
    reader.close()
  })

  it('grows while another program reads in one transaction; that is told with a cure, and is over when it ends', async () => {
    await write(1)
    const reader = new Database(path, { readonly: true })
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM version').get()
    expect(await write(20)).toBeGreaterThan(2 * logBytes)
    await turnUntil(clock, 'it is told', () => lines.length > 0)
    expect(await count('held')).toBe(1)
    for (let i = 0; i < 3; i++) {
      clock.advance(retryMs)
      await write(1)
    }
    const warnings = lines.filter(({ level }) => level === 'warn')
    expect(warnings).toMatchObject([{ facts: { path }, message: expect.stringMatching(/end that program/) }])
    expect(await count('cut')).toBe(0)
    expect((await store.head('web'))?.version).toBe(24)

    reader.exec('COMMIT')
    await turnUntil(clock, 'the log is cut back', () => {
      clock.advance(retryMs)
      return walBytes() === 0
    })
    await turnUntil(clock, 'the end is told', () => lines.at(-1)?.level === 'info')
    expect(await count('held')).toBeGreaterThan(1)
    reader.close()
  })
})
