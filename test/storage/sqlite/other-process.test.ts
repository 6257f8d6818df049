import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Env } from '../../../runtime/env.ts'
import { openSqliteStore } from '../../../storage/sqlite/sqlite-store.ts'
import { Writer } from '../../../storage/sqlite/writer.ts'
import type { NamespaceSummary, PresenceRecord, Store, Version } from '../../../storage/store.ts'
import type { State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { outsideHands } from '../../faults/outside-sqlite.fixture.ts'
import { tempDirectory, testEnv, turnUntil } from '../store.fixture.ts'

const noticedWithinMs = 200

describe('a file that another process writes', () => {
  let directory: ReturnType<typeof tempDirectory>
  let clock: FakeClock
  let env: Env
  let store: Store
  let other: Writer
  beforeEach(async () => {
    directory = tempDirectory()
    const path = join(directory.path, 'store.db')
    clock = new FakeClock()
    env = testEnv(clock)
    store = await openSqliteStore({ path }, env)
    other = new Writer(path, clock.now())
  })
  afterEach(async () => {
    other.close()
    await store.close()
    env.kernel.close()
    directory.remove()
  })

  const writeElsewhere = (namespace: string, text: string): void => {
    other.run([{ kind: 'write', request: request(namespace, text, { author: 'elsewhere' }) }], clock.now())
  }

  it('is noticed within 200 ms by the watchers of the namespace and of the listing', () => {
    let head: State<Version | undefined> | undefined
    let listing: readonly NamespaceSummary[] = []
    store.observe('web').watch(state => {
      head = state
    })
    store.list().watch(state => {
      if (state.kind === 'ok') listing = state.value
    })
    writeElsewhere('web', '/a=>/b')
    clock.advance(noticedWithinMs)
    expect(head).toMatchObject({ value: { version: 1, text: '/a=>/b', meta: { author: 'elsewhere' } } })
    expect(listing).toMatchObject([{ namespace: 'web', version: 1 }])
  })

  it('is shared by two servers: each sees what the other writes, within 200 ms', async () => {
    const second = await openSqliteStore({ path: join(directory.path, 'store.db') }, env)
    const pairs = [
      [store, second],
      [second, store],
    ] as const
    for (const [index, [writer, reader]] of pairs.entries()) {
      let seen: State<Version | undefined> | undefined
      const stop = reader.observe('shared').watch(state => {
        seen = state
      })
      await writer.write(request('shared', `/a=>/b${index}`))
      expect((await reader.head('shared'))?.text).toBe(`/a=>/b${index}`)
      clock.advance(noticedWithinMs)
      expect(seen).toMatchObject({ value: { version: index + 1, text: `/a=>/b${index}` } })
      stop()
    }
    await second.close()
  })

  it('disturbs no watcher of a namespace that did not change', () => {
    let deliveries = 0
    store.observe('quiet').watch(() => deliveries++)
    writeElsewhere('web', '/a=>/b')
    clock.advance(noticedWithinMs)
    expect(deliveries).toBe(1)
  })

  it('is shown though a text that is no dtab came right after it, and another write after that', async () => {
    const hands = outsideHands(join(directory.path, 'store.db'))
    writeElsewhere('web', '/a=>/b')
    const seen: (string | undefined)[] = []
    let refused = 0
    store.observe('web').watch(state => {
      if (state.kind === 'ok') seen.push(state.value?.text)
    })
    store.refusals().watch(state => {
      refused = state.kind === 'ok' ? state.value.length : 0
    })
    writeElsewhere('web', '/a=>/c')
    hands.insert('web', 'no dtab')
    writeElsewhere('api', '/a=>/b')
    clock.advance(noticedWithinMs)
    expect(seen).toEqual(['/a=>/b', '/a=>/c'])
    await turnUntil(clock, 'the text is refused', () => {
      clock.advance(noticedWithinMs)
      return refused === 1
    })
    expect(seen).toEqual(['/a=>/b', '/a=>/c'])
    hands.close()
  })

  it('is followed back to an older state, when a copy is put into it while it is open', async () => {
    const path = join(directory.path, 'store.db')
    const seen: (number | undefined)[] = []
    let listing: readonly NamespaceSummary[] = []
    const stopListing = store.list().watch(state => {
      if (state.kind === 'ok') listing = state.value
    })
    await store.write(request('web', '/a=>/b'))
    const older = join(directory.path, 'older.db')
    await copyInto(path, older)
    await store.write(request('web', '/a=>/c'))
    await store.write(request('new', '/a=>/b'))
    store.observe('web').watch(state => {
      if (state.kind === 'ok') seen.push(state.value?.version)
    })
    clock.advance(noticedWithinMs)
    await copyInto(older, path)
    clock.advance(noticedWithinMs)
    expect(seen).toEqual([2, 1])
    expect(listing).toMatchObject([{ namespace: 'web', version: 1 }])
    stopListing()
    await store.write(request('web', '/a=>/d'))
    clock.settle()
    expect(seen).toEqual([2, 1, 2])
  })

  it('has its numbers followed by ours', async () => {
    writeElsewhere('web', '/a=>/b')
    expect((await store.write(request('web', '/a=>/c'))).written).toMatchObject({ version: 2, meta: { parent: 1 } })
  })

  it('keeps leases from us, and shows us its presence until that runs out', async () => {
    let records: readonly PresenceRecord[] = []
    store.presence().watch(state => {
      if (state.kind === 'ok') records = state.value
    })
    const claim = {
      name: 'n',
      owner: 'other',
      data: 'd',
      now: clock.now(),
      ttlMs: 10_000,
      expiresAt: clock.now() + 10_000,
      force: false,
    }
    other.run([{ kind: 'claim', claim: { ...claim, kind: 'lease' } }], 0)
    other.run([{ kind: 'claim', claim: { ...claim, kind: 'presence' } }], 0)
    clock.advance(noticedWithinMs)
    expect(records).toMatchObject([{ id: 'n', data: 'd' }])
    expect(await store.lease('n', 10_000)).toBeUndefined()
    clock.advance(10_000)
    expect(records).toEqual([])
    const lease = await store.lease('n', 10_000)
    expect(lease?.held.peek()).toEqual({ kind: 'ok', value: true })
  })

  it('takes a lease away from us only after we know that it is lost', async () => {
    const lease = await store.lease('n', 10_000)
    const path = join(directory.path, 'store.db')
    const db = new Database(path)
    const expiresAt = Number(db.prepare("SELECT expires_at FROM claim WHERE name = 'n'").pluck().get())
    expect(expiresAt - clock.now()).toBeGreaterThan(10_000)
    expect(expiresAt - clock.now()).toBeLessThanOrEqual(20_000)
    db.exec('BEGIN IMMEDIATE')
    clock.advance(10_000)
    expect(lease?.held.peek()).toEqual({ kind: 'ok', value: false })
    db.exec('ROLLBACK')
    db.close()
  })

  it('that was removed leaves the last good value, stale, with what to do', () => {
    const states: State<Version | undefined>[] = []
    writeElsewhere('web', '/a=>/b')
    store.observe('web').watch(state => {
      states.push(state)
    })
    unlinkSync(join(directory.path, 'store.db'))
    clock.advance(noticedWithinMs)
    expect(states.at(-1)).toMatchObject({ kind: 'ok', value: { version: 1 } })
    expect(states.at(-1)).toMatchObject({
      stale: { reason: { message: expect.stringMatching(/removed or replaced/) } },
    })
  })

  it('that was removed stays stale when a write is refused for it', async () => {
    await store.write(request('web', '/a=>/b'))
    const states: State<Version | undefined>[] = []
    store.observe('web').watch(state => {
      states.push(state)
    })
    unlinkSync(join(directory.path, 'store.db'))
    clock.advance(noticedWithinMs)
    const told = states.length
    await expect(store.write(request('web', '/a=>/c'))).rejects.toMatchObject({ code: 'store-unavailable' })
    clock.settle()
    expect(states.slice(told)).toEqual([])
    expect(states.at(-1)).toMatchObject({ stale: {} })
  })

  it('is not looked at while nobody watches', () => {
    expect(clock.waiting).toBe(0)
    const stop = store.observe('web').watch(() => {})
    clock.settle()
    expect(clock.waiting).toBe(1)
    stop()
    clock.advance(60_000)
    expect(clock.waiting).toBe(0)
  })

  it('leaves the last good value, stale, while it cannot be read, and recovers by itself', () => {
    const states: State<Version | undefined>[] = []
    writeElsewhere('web', '/a=>/b')
    store.observe('web').watch(state => {
      states.push(state)
    })
    other.connection.exec('ALTER TABLE version RENAME TO hidden')
    clock.advance(noticedWithinMs)
    expect(states.at(-1)).toMatchObject({
      kind: 'ok',
      value: { version: 1 },
      stale: { reason: { code: 'store-unavailable' } },
    })
    other.connection.exec('ALTER TABLE hidden RENAME TO version')
    clock.advance(noticedWithinMs)
    expect(states.at(-1)).toEqual(states[0])
    writeElsewhere('web', '/a=>/c')
    clock.advance(noticedWithinMs)
    const last = states.at(-1)
    expect(last).toMatchObject({ kind: 'ok', value: { version: 2 } })
    expect(last).not.toHaveProperty('stale')
  })
})

/** As \`.restore\` of the SQLite shell does it: page by page, under SQLite's own locks. */
async function copyInto(from: string, to: string): Promise<void> {
  const db = new Database(from)
  await db.backup(to)
  db.close()
}
