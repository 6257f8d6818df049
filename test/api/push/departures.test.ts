import { beforeEach, describe, expect, test } from 'vitest'
import { Connections } from '../../../api/push/connections.ts'
import { Departures } from '../../../api/push/departures.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { seededRandom } from '../../proxy-client/seeded-random.fixture.ts'
import { FakeSession, FakeStream } from './connections.fixture.ts'

const ageMs = 1_800_000
const graceMs = 30_000
const old = 'This connection has been open for long enough.'
const ended = 'UNAVAILABLE: This stream was to go elsewhere: open another one.'

let clock: FakeClock
let connections: Connections
let departures: Departures

function start(maxConnectionAgeMs = ageMs): void {
  clock = new FakeClock(0)
  connections = new Connections(clock)
  const env = { clock, random: seededRandom(1), metrics: createMetrics() }
  departures = new Departures(env, connections, { maxConnectionAgeMs, graceMs })
}

const stays = (): void => {}

beforeEach(() => start())

describe('an old connection', () => {
  test('is left about when it may be, at another instant than those that were made with it', () => {
    const sessions = Array.from({ length: 50 }, () => new FakeSession())
    for (const session of sessions) new FakeStream(connections, { session, onMove: stays })
    const left = (): number => sessions.filter(({ goaways }) => goaways.length > 0).length
    clock.advance(ageMs * 0.89)
    expect(left()).toBe(0)
    clock.advance(ageMs * 0.11)
    expect(left()).toBeGreaterThan(10)
    expect(left()).toBeLessThan(40)
    clock.advance(ageMs * 0.11)
    expect(left()).toBe(50)
  })

  test('asks the clients that can be asked, and ends whoever has not gone within the grace', () => {
    const session = new FakeSession()
    const goes = new FakeStream(connections, { session, onMove: stream => clock.after(100, () => stream.leave()) })
    const remains = new FakeStream(connections, { session, onMove: stays })
    clock.advance(ageMs * 1.1 + graceMs - 1_000)
    expect(goes.told).toEqual([`move within ${graceMs} ms: ${old}`])
    clock.advance(ageMs * 0.2 + 2_000)
    expect(remains.told).toEqual([`move within ${graceMs} ms: ${old}`, ended])
    expect(connections.size).toBe(0)
    expect(departures.leaving).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  test('ends very many that have not gone some at a time', () => {
    const session = new FakeSession()
    const streams = Array.from({ length: 2_500 }, () => new FakeStream(connections, { session, onMove: stays }))
    const closed: number[] = []
    while (closed.at(-1) !== streams.length) {
      clock.advance(500)
      closed.push(streams.filter(({ isClosed }) => isClosed).length)
    }
    expect(closed.slice(-4)).toEqual([0, 1_000, 2_000, 2_500])
  })

  test('takes no more streams, once those that were on their way are there, and ends these too', () => {
    const session = new FakeSession()
    const first = new FakeStream(connections, { session, onMove: stays })
    while (session.goaways.length === 0) clock.advance(500)
    expect(session.goaways).toEqual([{ code: 0, lastStreamId: 2 ** 31 - 1 }])
    expect(session.closed).toBe(false)
    const crossing = new FakeStream(connections, { session, onMove: stays })
    clock.advance(1_500)
    expect(session.closed).toBe(true)
    clock.advance(graceMs)
    expect([first.isClosed, crossing.isClosed, connections.size]).toEqual([true, true, 0])
  })

  test('ends the streams of a protocol without words for it, spread over the grace', () => {
    const session = new FakeSession()
    const streams = Array.from({ length: 100 }, () => new FakeStream(connections, { session }))
    const closed = (): number => streams.filter(({ isClosed }) => isClosed).length
    while (session.goaways.length === 0) clock.advance(500)
    expect(closed()).toBe(0)
    clock.advance(graceMs / 2)
    expect(closed()).toBeGreaterThan(30)
    expect(closed()).toBeLessThan(70)
    clock.advance(graceMs / 2 + 500)
    expect(closed()).toBe(100)
    expect(streams[0]?.told).toEqual([ended])
  })

  test('is kept when the age is 0', () => {
    start(0)
    const session = new FakeSession()
    new FakeStream(connections, { session, onMove: stays })
    clock.advance(ageMs * 2)
    expect(session.goaways).toEqual([])
  })
})

describe('streams that other servers have room for', () => {
  const count = (streams: readonly FakeStream[]): number => streams.filter(({ told }) => told.length > 0).length

  test('go with their connection, never more than were asked for', () => {
    const sessions = Array.from({ length: 100 }, () => new FakeSession())
    const streams = sessions.flatMap(session => [
      new FakeStream(connections, { session, onMove: stays }),
      new FakeStream(connections, { session, onMove: stays }),
    ])
    departures.shed(21)
    expect(count(streams)).toBe(21)
    expect(departures.leaving).toBe(21)
    departures.shed(10_000)
    expect(count(streams)).toBe(200)
    expect(streams.every(({ told }) => told.length === 1)).toBe(true)
  })

  test('stay where all are on one connection whose streams cannot be asked one by one', () => {
    const session = new FakeSession()
    const streams = Array.from({ length: 20 }, () => new FakeStream(connections, { session }))
    departures.shed(10)
    clock.advance(graceMs * 2)
    expect(streams.some(({ isClosed }) => isClosed)).toBe(false)
    expect(session.goaways).toEqual([])
    departures.shed(20)
    clock.advance(graceMs * 2)
    expect(streams.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('of one connection can be asked one by one, and the others go on', () => {
    const session = new FakeSession()
    const streams = Array.from({ length: 20 }, () => new FakeStream(connections, { session, onMove: stays }))
    departures.shed(5)
    expect(count(streams)).toBe(5)
    expect(session.goaways).toEqual([])
    clock.advance(graceMs * 2)
    expect(streams.filter(({ isClosed }) => isClosed)).toHaveLength(5)
  })
})
