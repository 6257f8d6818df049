import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Env } from '../../runtime/env.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import { systemClock } from '../../watch/clock.ts'
import { codeOf, request } from '../contract/store.contract.ts'
import { realTurn, tempDirectory, testEnv } from '../storage/store.fixture.ts'
import { lockFile } from './lock-rig.fixture.ts'

const locksMet = async (env: Env): Promise<number> => {
  const { body } = await env.metrics.expose()
  return Number(/^nameplane_storage_lock_waits_total (\d+)$/m.exec(body)?.[1] ?? 0)
}

describe('S9: a lock of another process', () => {
  let directory: ReturnType<typeof tempDirectory>
  let path: string
  beforeEach(() => {
    directory = tempDirectory()
    path = join(directory.path, 'store.db')
  })
  afterEach(() => directory.remove())

  it('holds up the write alone: the loop turns, reads and a thousand watches go on, and the write succeeds after it', async () => {
    const env = testEnv(systemClock)
    const store = await openSqliteStore({ path }, env)
    await store.write(request('web', '/a=>/b'))
    let delivered = 0
    for (let i = 0; i < 1_000; i++) store.observe('web').watch(() => delivered++)
    const lock = await lockFile(path, 'writers')

    let isAnswered = false
    const write = store.write(request('web', '/a=>/c')).finally(() => {
      isAnswered = true
    })
    let turns = 0
    for (; (await locksMet(env)) < 3; turns++) {
      expect((await store.head('web'))?.version).toBe(1)
      await realTurn()
    }
    expect(isAnswered).toBe(false)
    expect(turns).toBeGreaterThan(50)
    await lock.release()

    expect((await write).written.version).toBe(2)
    while (delivered < 2_000) await realTurn()
    expect(delivered).toBe(2_000)
    await store.close()
    env.kernel.close()
  })

  it('that outlasts the patience of a write is store-busy, and changed nothing', async () => {
    const env = testEnv(systemClock)
    const store = await openSqliteStore({ path, busyLimitMs: 150 }, env)
    const lock = await lockFile(path, 'writers')
    expect(await codeOf(store.write(request('web', '/a=>/b')))).toBe('store-busy')
    await lock.release()
    expect((await store.write(request('web', '/a=>/c'))).written.version).toBe(1)
    await store.close()
    env.kernel.close()
  })

  it('at the start is waited for, and named when it does not end', async () => {
    const env = testEnv(systemClock)
    const first = await openSqliteStore({ path }, env)
    await first.close()
    const lock = await lockFile(path, 'whole-file')
    await expect(openSqliteStore({ path, busyLimitMs: 100 }, env)).rejects.toMatchObject({
      code: 'store-busy',
      message: `The database ${path} cannot be opened: another process has locked it. End that process, or wait until it is done.`,
    })
    const opening = openSqliteStore({ path }, env)
    await lock.release()
    const store = await opening
    expect(await store.head('web')).toBeUndefined()
    await store.close()
    env.kernel.close()
  })
})
