// Fifty writes a second for minutes beside other programs that have the file open: what becomes of the log.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { logLimitBytes } from '../../storage/sqlite/connection.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import type { Store } from '../../storage/store.ts'
import { systemClock } from '../../watch/clock.ts'
import { request } from '../contract/store.contract.ts'
import { tempDirectory, testEnv } from '../storage/store.fixture.ts'

const writesPerSecond = 50
const text = `/svc => /#/io.l5d.fs ; # ${'x'.repeat(10_000)}\n`
const openMs = 4 * 60_000
const heldMs = 90_000
const healedWithinMs = 15_000
/** The limit, and what is written between two looks. */
const capBytes = logLimitBytes * 1.25

/** Rejects when the log outgrows its cap beside readers, or does not shrink when a long transaction ends. */
export async function soakS10(report: (line: string) => void): Promise<void> {
  const directory = tempDirectory()
  const path = join(directory.path, 'store.db')
  const env = testEnv(systemClock)
  const store = await openSqliteStore({ path }, env)
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  const reader = new Database(path, { readonly: true })
  try {
    const beside = await write(store, path, openMs, () => reader.prepare('SELECT count(*) FROM version').get())
    report(`a reader open for ${openMs / 1000} s, ${beside.writes} writes: log at most ${megabytes(beside.largest)}`)
    if (beside.largest > capBytes) throw new Error(`the log reached ${megabytes(beside.largest)}`)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM version').get()
    const held = await write(store, path, heldMs, () => {})
    report(`a transaction open for ${heldMs / 1000} s, ${held.writes} writes: log at most ${megabytes(held.largest)}`)
    reader.exec('COMMIT')
    const after = await write(store, path, healedWithinMs, () => {})
    const bytes = statSync(`${path}-wal`).size
    report(`${healedWithinMs / 1000} s after it ended, ${after.writes} writes: log ${megabytes(bytes)}`)
    if (bytes > capBytes) throw new Error('the log was not cut back')
  } finally {
    reader.close()
    await store.close()
    env.kernel.close()
    directory.remove()
  }
}

async function write(
  store: Store,
  path: string,
  forMs: number,
  each: () => void,
): Promise<{ readonly writes: number; readonly largest: number }> {
  const startedAt = performance.now()
  let largest = 0
  let writes = 0
  for (; performance.now() - startedAt < forMs; writes++) {
    await store.write(request(`ns-${writes % 20}`, text))
    each()
    largest = Math.max(largest, statSync(`${path}-wal`).size)
    await delay(Math.max(0, startedAt + ((writes + 1) * 1000) / writesPerSecond - performance.now()))
  }
  return { writes, largest }
}
