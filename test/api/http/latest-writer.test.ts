import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { LatestWriter } from '../../../api/http/latest-writer.ts'
import type { ReaderMeter } from '../../../api/http/stream-metrics.ts'
import { WritePace } from '../../../api/http/write-pace.ts'
import { systemClock } from '../../../watch/clock.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { turns } from './http-api.fixture.ts'

/** A response whose reader takes one write at a time, when told to. */
class SlowResponse extends Writable {
  readonly taken: string[] = []
  #next: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 1 })
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk.toString())
    this.#next = done
  }

  async read(): Promise<void> {
    this.#next?.()
    await turns(3)
  }
}

/** Counts what a reader missed, and who is behind. */
class TestMeter implements ReaderMeter {
  missed = 0
  late = 0
  conflated = (): void => void this.missed++
  behind = (by: 1 | -1): void => {
    this.late += by
  }
}

function writerOf(
  response: Writable,
  latest: () => string | undefined,
  { meter = new TestMeter(), pace = new WritePace(systemClock) } = {},
): LatestWriter {
  return new LatestWriter(response as unknown as ServerResponse, latest, { meter, pace }) // a response is a Writable, and no more is used
}

describe('a writer to a slow reader', () => {
  it('writes the newest state once the reader is ready, whatever number of changes came between', async () => {
    const response = new SlowResponse()
    let state = 'first'
    let asked = 0
    const writer = writerOf(response, () => {
      asked++
      return state
    })
    writer.changed()
    for (let change = 0; change < 1_000; change++) {
      state = `change ${change}`
      writer.changed()
    }
    expect([writer.isBusy, asked, response.writableLength]).toEqual([true, 1, 'first'.length])
    await response.read()
    expect(response.taken).toEqual(['first', 'change 999'])
    await response.read()
    expect([writer.isBusy, writer.written]).toEqual([false, 2])
  })

  it('writes nothing to a reader that has left', () => {
    const response = new SlowResponse()
    const writer = writerOf(response, () => 'late')
    response.destroy()
    writer.changed()
    expect(writer.written).toBe(0)
  })

  it('counts what the reader never saw, and is behind until it has the newest or leaves', async () => {
    const [response, meter] = [new SlowResponse(), new TestMeter()]
    let state = 0
    const writer = writerOf(response, () => `state ${state}`, { meter })
    for (state = 0; state < 10; state++) writer.changed()
    expect([meter.missed, meter.late]).toEqual([8, 1])
    await response.read()
    expect([meter.missed, meter.late]).toEqual([8, 0])
    writer.changed()
    writer.stop()
    writer.stop()
    expect([meter.missed, meter.late]).toEqual([8, 0])
  })
})

describe('writers that share a pace', () => {
  const megabytes = (count: number): string => 'x'.repeat(count * 1024 * 1024)
  const sink = (): Writable => new Writable({ highWaterMark: 1e9, write: (_chunk, _encoding, done) => done() })

  it('write little at once, and of large states a bounded number in one turn', () => {
    const clock = new FakeClock()
    const pace = new WritePace(clock)
    const little = Array.from({ length: 100 }, () => writerOf(sink(), () => 'little', { pace }))
    for (const writer of little) writer.changed()
    expect(little.every(({ written }) => written === 1)).toBe(true)
    const large = Array.from({ length: 7 }, () => writerOf(sink(), () => megabytes(3), { pace }))
    for (const writer of large) writer.changed()
    const written = (): number => large.filter(({ written }) => written > 0).length
    const perTurn = [written()]
    while (written() < 7) {
      clock.turn()
      perTurn.push(written())
    }
    expect(perTurn).toEqual([2, 4, 6, 7])
  })

  it('let nobody wait who has left, and write the newest state when the turn comes', () => {
    const clock = new FakeClock()
    const pace = new WritePace(clock)
    writerOf(sink(), () => megabytes(5), { pace }).changed()
    const meter = new TestMeter()
    let state = 'old'
    const asked: string[] = []
    const latest = (): string => {
      asked.push(state)
      return state
    }
    const waiting = writerOf(sink(), latest, { pace, meter })
    const leaving = writerOf(sink(), () => 'never', { pace, meter })
    for (const writer of [waiting, leaving]) writer.changed()
    state = 'new'
    waiting.changed()
    leaving.stop()
    expect([asked, meter.missed, meter.late, waiting.isBusy]).toEqual([[], 1, 1, true])
    clock.turn()
    expect([asked, meter.late, leaving.written]).toEqual([['new'], 0, 0])
  })
})
