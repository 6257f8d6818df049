import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Env } from '../../runtime/env.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import type { RefusedText, Store, Version } from '../../storage/store.ts'
import type { State } from '../../watch/state.ts'
import { codeOf, request } from '../contract/store.contract.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { type LogLine, recordingLog } from '../fakes/log.fake.ts'
import { tempDirectory, testEnv, turnUntil } from '../storage/store.fixture.ts'
import { type OutsideHands, outsideHands } from './outside-sqlite.fixture.ts'

const good = '/svc => /#/io.l5d.fs ;\n'
const megabyte = 1024 * 1024

const bad: readonly (readonly [string, string | Uint8Array, string | RegExp, { line: number; column: number }])[] = [
  ['garbage', '/svc => /a ;\nthis is no dtab', /./, { line: 2, column: 1 }],
  ['1 MB of garbage', `${good}${'x'.repeat(megabyte)}`, /./, { line: 2, column: 1 }],
  ['binary', Buffer.from([0x2f, 0x61, 0xff, 0xfe, 0x00]), 'it is not UTF-8', { line: 1, column: 3 }],
  ['a byte order mark', `\uFEFF${good}`, /./, { line: 1, column: 1 }],
  ['a cut-off entry', `${good}/svc/web =>`, /./, { line: 2, column: 12 }],
]

const fine: readonly (readonly [string, string])[] = [
  ['an empty text', ''],
  ['lines that end in CRLF', '/svc => /a ;\r\n/b => /c ;\r\n'],
  ['10 MB', `# ${'x'.repeat(10 * megabyte)}\n${good}`],
]

describe('S3: a text that another program put into the file', () => {
  let directory: ReturnType<typeof tempDirectory>
  let clock: FakeClock
  let env: Env
  let lines: LogLine[]
  let store: Store
  let hands: OutsideHands
  let head: State<Version | undefined> | undefined
  let other: State<Version | undefined> | undefined
  let refusals: readonly RefusedText[]

  const until = (what: string, holds: () => boolean): Promise<void> =>
    turnUntil(clock, what, () => {
      clock.advance(10)
      return holds()
    })
  const shown = (): Version | undefined => (head?.kind === 'ok' ? head.value : undefined)
  const counted = async (): Promise<number> =>
    Number(/^nameplane_dtab_refusals_total (\d+)$/m.exec((await env.metrics.expose()).body)?.[1])

  beforeEach(async () => {
    directory = tempDirectory()
    const path = join(directory.path, 'store.db')
    clock = new FakeClock()
    lines = []
    env = { ...testEnv(clock), log: recordingLog(lines) }
    store = await openSqliteStore({ path }, env)
    hands = outsideHands(path)
    await store.write(request('other', good))
    await store.write(request('web', good))
    store.observe('web').watch(state => {
      head = state
    })
    store.observe('other').watch(state => {
      other = state
    })
    store.refusals().watch(state => {
      if (state.kind === 'ok') refusals = state.value
    })
  })
  afterEach(async () => {
    hands.close()
    await store.close()
    env.kernel.close()
    directory.remove()
  })

  it.each(bad)(
    'that is %s is refused with its place; the last good version stays',
    async (_what, text, reason, place) => {
      const before = other
      hands.insert('web', text)
      await until('the refusal', () => refusals.length === 1)
      expect(refusals).toMatchObject([{ namespace: 'web', reason: expect.stringMatching(reason), position: place }])
      expect(refusals[0]?.bytes).toBe(Buffer.from(text).byteLength)
      expect(head).toMatchObject({ kind: 'ok', value: { version: 1, text: good } })
      expect(head).not.toHaveProperty('stale')
      expect(await store.head('web')).toMatchObject({ version: 1, text: good })
      expect(await store.history('web', { limit: 10 })).toHaveLength(1)
      expect(await store.version('web', 2)).toBeUndefined()
      expect(other).toBe(before)
      await until('a line in the log', () => lines.length > 0)
      expect(lines).toMatchObject([
        { level: 'warn', facts: { namespace: 'web', line: place.line, column: place.column } },
      ])
      expect(await counted()).toBe(1)
      hands.update('web', '/next => /good ;')
      await until('the next good one', () => shown()?.text === '/next => /good ;')
      await until('no refusal', () => refusals.length === 0)
    },
  )

  it('that was typed over the head is refused as well, and the next good one taken', async () => {
    hands.update('web', 'no dtab')
    await until('the refusal', () => refusals.length === 1)
    expect(head).toMatchObject({ kind: 'ok', value: { version: 1, text: good } })
    expect(await store.version('web', 1)).toMatchObject({ text: good })
    hands.update('web', '/next => /good ;')
    await until('the next good one', () => shown()?.version === 2)
    expect(shown()).toMatchObject({ text: '/next => /good ;', meta: { author: 'external', parent: 1 } })
  })

  it('that was refused leaves its place to the next write, which is told to its watchers', async () => {
    hands.insert('web', 'this is no dtab')
    await until('the refusal', () => refusals.length === 1)
    await store.write(request('other', '/svc => /b ;'))
    await until('the write', () => other?.kind === 'ok' && other.value?.version === 2)
  })

  it.each(fine)('that is %s is a version as it stands', async (_what, text) => {
    hands.insert('web', text)
    await until('the version', () => shown()?.text === text)
    expect(shown()).toMatchObject({ version: 2, meta: { author: 'by hand', parent: 1, time: 5 } })
    expect(await store.history('web', { limit: 10 })).toMatchObject([
      { version: 2, bytes: Buffer.byteLength(text) },
      { version: 1, bytes: good.length },
    ])
    expect(refusals).toEqual([])
  })

  it('is judged by a read when nobody watches', async () => {
    const quiet = await store.write(request('quiet', good))
    hands.update('quiet', '/a => /b')
    expect(await store.head('quiet')).toMatchObject({ version: 2, text: '/a => /b' })
    hands.update('quiet', 'no dtab')
    expect(await store.head('quiet')).toMatchObject({ version: 2 })
    expect(await store.version('quiet', 1)).toEqual(quiet.written)
  })

  it('is judged before a write, which then stands on it and is refused when it expected another version', async () => {
    hands.update('web', '/by => /hand ;')
    const blind = { expect: { kind: 'version', versions: [1] } } as const
    expect(await codeOf(store.write(request('web', '/a => /b', blind)))).toBe('dtab-version-mismatch')
    expect(await store.write(request('web', '/a => /b'))).toMatchObject({
      written: { version: 3, meta: { parent: 2 } },
      replaced: { version: 2, text: '/by => /hand ;' },
    })
  })

  it('that is refused gives way to a write, on the last good version', async () => {
    hands.insert('web', 'no dtab')
    expect(await store.write(request('web', '/a => /b'))).toMatchObject({
      written: { version: 2, meta: { parent: 1 } },
      replaced: { version: 1 },
    })
    await until('no refusal', () => refusals.length === 0)
  })

  it('that is the first of its namespace is the first version, or none', async () => {
    hands.insert('new', '/a => /b', 7)
    expect(await store.head('new')).toMatchObject({ version: 7, text: '/a => /b' })
    hands.insert('worse', 'no dtab')
    expect(await store.head('worse')).toBeUndefined()
    expect((await store.write(request('worse', '/a => /b'))).written.version).toBe(1)
  })

  it('that is a row without text deletes the namespace', async () => {
    hands.insert('web', null)
    await until('the deletion', () => shown()?.version === 2)
    expect(shown()).not.toHaveProperty('text')
  })

  it.each([
    ['a name that is none', 'no/name', 1, /is not a namespace/],
    ['a number that does not grow', 'web', 0, /its version number, 0, cannot come after 1/],
    ['a number that cannot be counted on', 'web', 2 ** 60, /cannot come after 1/],
  ])('under %s is refused', async (_what, namespace, version, reason) => {
    hands.insert(namespace, good, version)
    await until('the refusal', () => refusals.length === 1)
    expect(refusals).toMatchObject([{ namespace, reason: expect.stringMatching(reason) }])
    expect((await store.write(request('web', '/a => /b'))).written.version).toBe(2)
  })

  it('that stands in place of the head lets nobody forget the head', async () => {
    const { written } = await store.write(request('web', '/a => /b'))
    hands.insert('web', 'no dtab')
    await store.forget('web', [written.version])
    expect(await store.head('web')).toEqual(written)
  })

  it('cannot change the past', async () => {
    await store.write(request('web', '/a => /b'))
    const attempts: readonly (readonly [string, RegExp])[] = [
      ["UPDATE version SET author = 'x' WHERE namespace = 'web'", /a version never changes/],
      ["UPDATE version SET text = 'x' WHERE namespace = 'web' AND version = 1", /only the newest version/],
      ["DELETE FROM version WHERE namespace = 'web'", /cannot be dropped/],
      [replaceVersion('namespace, version', "'web', 2"), /insert one with a new number/],
      [replaceVersion('sequence, namespace, version', "1, 'web', 9"), /insert one with a new number/],
      ["UPDATE head SET sequence = 1 WHERE namespace = 'web'", /moves only forward/],
      ["INSERT OR REPLACE INTO head VALUES ('web', 1)", /moves only forward/],
      ["DELETE FROM head WHERE namespace = 'web'", /insert a new version without text/],
    ]
    for (const [sql, refusal] of attempts) expect(() => hands.run(sql)).toThrow(refusal)
    expect(await store.history('web', { limit: 10 })).toHaveLength(2)
  })

  it('becomes one version, whichever of two servers sees it first', async () => {
    const second = await openSqliteStore({ path: join(directory.path, 'store.db') }, env)
    second.observe('web').watch(() => {})
    hands.update('web', '/by => /hand ;')
    await Promise.all([store.head('web'), second.head('web')])
    for (const one of [store, second]) {
      expect(await one.head('web')).toMatchObject({ version: 2, text: '/by => /hand ;', meta: { author: 'external' } })
      expect(await one.history('web', { limit: 10 })).toHaveLength(2)
    }
    await second.close()
  })

  it('that came while no server ran is judged at the start, the listing included', async () => {
    await store.close()
    hands.update('web', 'no dtab')
    hands.update('other', '/by => /hand ;')
    store = await openSqliteStore({ path: join(directory.path, 'store.db') }, env)
    let listed: readonly unknown[] = []
    store.list().watch(state => {
      if (state.kind === 'ok') listed = state.value
    })
    expect(listed).toMatchObject([
      { namespace: 'other', version: 1 },
      { namespace: 'web', version: 1 },
    ])
    await until('both are judged', () => JSON.stringify(listed).includes('"version":2'))
    expect(listed).toMatchObject([
      { namespace: 'other', version: 2, author: 'external' },
      { namespace: 'web', version: 1 },
    ])
  })
})

function replaceVersion(columns: string, values: string): string {
  return `REPLACE INTO version (${columns}, parent, author, verified, message, time, bytes, text)
    VALUES (${values}, 0, 'x', 0, '', 0, 0, '/x => /y')`
}
