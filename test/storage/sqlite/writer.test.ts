import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Reader } from '../../../storage/sqlite/reader.ts'
import { WriteQueue, type WriteQueueOptions } from '../../../storage/sqlite/write-queue.ts'
import { WriteThread } from '../../../storage/sqlite/write-thread.ts'
import { type GroupOutcome, type Operation, Writer } from '../../../storage/sqlite/writer.ts'
import { systemClock } from '../../../watch/clock.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { tempDirectory } from '../store.fixture.ts'

const put = (namespace: string, text: string, more = {}): Operation => ({
  kind: 'write',
  request: request(namespace, text, more),
})

/** A number for each written version, a code for each refusal. */
const summary = (outcome: GroupOutcome): unknown =>
  outcome.kind === 'busy'
    ? 'busy'
    : outcome.outcomes.map(one => {
        if (one.kind === 'written') return one.result.written.version
        return one.kind === 'refused' ? one.error.code : 'done'
      })

describe('the writer', () => {
  let directory: ReturnType<typeof tempDirectory>
  let path: string
  let writer: Writer
  beforeEach(() => {
    directory = tempDirectory()
    path = join(directory.path, 'store.db')
    writer = new Writer(path, 0)
  })
  afterEach(() => {
    writer.close()
    directory.remove()
  })

  it('undoes a refused write of a group and keeps its neighbours', () => {
    const absent = { expect: { kind: 'absent' } }
    const group = [put('a', '1'), put('a', '2', absent), put('a', '3'), put('b', '1', absent)]
    expect(summary(writer.run(group, 0))).toEqual([1, 'dtab-exists', 2, 1])
  })

  it('lets a later write of a group build on an earlier one', () => {
    const onOne = { expect: { kind: 'version', versions: [1] } }
    expect(summary(writer.run([put('a', '1'), put('a', '2', onOne), put('a', '3', onOne)], 0))).toEqual([
      1,
      2,
      'dtab-version-mismatch',
    ])
  })

  it('commits a group as a whole: nobody sees half of it', () => {
    const reader = new Reader(path)
    const before = reader.dataVersion()
    writer.run(
      Array.from({ length: 20 }, (_, i) => put(`n${i}`, '1')),
      0,
    )
    expect(reader.summaries()).toHaveLength(20)
    expect(reader.dataVersion()).not.toBe(before)
    reader.close()
  })

  it('refuses a write for which there is no room, writes the small ones of its group, and goes on when there is room', () => {
    writer.run([put('a', '1')], 0)
    const pages = Number(writer.connection.pragma('page_count', { simple: true }))
    writer.connection.pragma(`max_page_count = ${pages + 4}`)
    const group = [put('a', '2'), put('a', 'x'.repeat(1_000_000)), put('a', '3')]
    expect(summary(writer.run(group, 0))).toEqual([2, 'store-full', 3])
    expect(summary(writer.run([put('a', 'x'.repeat(1_000_000))], 0))).toEqual(['store-full'])
    writer.connection.pragma('max_page_count = 1000000')
    expect(summary(writer.run([put('a', 'x'.repeat(1_000_000))], 0))).toEqual([4])
  })

  it('reports a locked file as busy, having done nothing', () => {
    const rival = new Writer(path, 0)
    rival.connection.exec('BEGIN IMMEDIATE')
    expect(summary(writer.run([put('a', '1')], 0))).toBe('busy')
    rival.connection.exec('ROLLBACK')
    expect(summary(writer.run([put('a', '1')], 0))).toEqual([1])
    rival.close()
  })

  it('keeps the log bounded however much is written', () => {
    for (let i = 0; i < 30; i++) writer.run([put('a', `${i}`.repeat(500_000))], 0)
    expect(statSync(`${path}-wal`).size).toBeLessThan(20 * 1024 * 1024)
    expect(statSync(path).size).toBeGreaterThan(20 * 1024 * 1024)
  })

  it('forgets old idempotency keys a bounded number at a time', () => {
    const keyed = (key: string) => ({ idempotency: { key, fingerprint: 'f' } })
    const keys = (): unknown => writer.connection.prepare('SELECT count(*) FROM idempotency').pluck().get()
    writer.run(
      Array.from({ length: 1_500 }, (_, i) => put('a', '1', keyed(`k${i}`))),
      0,
    )
    const dayMs = 24 * 60 * 60 * 1000
    writer.run([put('a', '1', keyed('later'))], dayMs)
    expect(keys()).toBe(501)
    writer.run([put('a', '1', keyed('later still'))], dayMs)
    expect(keys()).toBe(2)
  })
})

describe('the write queue', () => {
  let directory: ReturnType<typeof tempDirectory>
  let commits: number[]
  let lostThreads: number
  let options: WriteQueueOptions
  beforeEach(() => {
    directory = tempDirectory()
    commits = []
    lostThreads = 0
    options = {
      path: join(directory.path, 'store.db'),
      wait: { clock: systemClock, random: () => 0, limitMs: 5_000 },
      onCommit: outcomes => commits.push(outcomes.length),
      onBusy: () => {},
      onThreadLost: () => lostThreads++,
    }
  })
  afterEach(() => directory.remove())

  it('puts what gathers during one group on the disk as the next', async () => {
    const queue = new WriteQueue(options, new WriteThread())
    await queue.open()
    await Promise.all(Array.from({ length: 50 }, (_, i) => queue.run(put(`n${i}`, '1'))))
    expect(commits).toEqual([1, 49])
    await queue.close()
  })

  it('ends a group at 256 operations', async () => {
    const queue = new WriteQueue(options, new WriteThread())
    await queue.open()
    await Promise.all(Array.from({ length: 600 }, (_, i) => queue.run(put(`n${i}`, '1'))))
    expect(commits).toEqual([1, 256, 256, 87])
    await queue.close()
  })

  it('refuses more than it can hold', async () => {
    const queue = new WriteQueue(options, new WriteThread())
    await queue.open()
    const refused = { expect: { kind: 'present' } }
    const outcomes = Array.from({ length: 20_100 }, () => codeOf(queue.run(put('a', '1', refused))))
    const codes = await Promise.all(outcomes)
    expect(codes.indexOf('store-busy')).toBe(20_001)
    expect(codes.filter(code => code === 'store-busy')).toHaveLength(99)
    expect(await codeOf(queue.run(put('a', '1')))).toBeUndefined()
    await queue.close()
  })

  it('opens the file again in a new thread when the old one was lost', async () => {
    const thread = new WriteThread()
    const queue = new WriteQueue(options, thread)
    await queue.open()
    await queue.run(put('a', '1'))
    await thread.stop()
    const outcome = await queue.run(put('a', '2'))
    expect(outcome).toMatchObject({ kind: 'written', result: { written: { version: 2 } } })
    expect(lostThreads).toBe(1)
    await queue.close()
  })

  it('says that the outcome of a write is not known when its thread is lost, and serves those behind it', async () => {
    const thread = new WriteThread()
    const queue = new WriteQueue(options, thread)
    await queue.open()
    const rival = new Writer(options.path, 0)
    rival.connection.exec('BEGIN IMMEDIATE')
    const inHand = codeOf(queue.run(put('a', '1')))
    const behind = queue.run(put('b', '1'))
    await thread.stop()
    rival.connection.exec('ROLLBACK')
    rival.close()
    expect(await inHand).toBe('store-unavailable')
    expect(await behind).toMatchObject({ kind: 'written' })
    await queue.close()
  })
})
