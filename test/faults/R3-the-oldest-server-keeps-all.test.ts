// R3: After a roll-out all streams hang on the one server that was not restarted.
import { describe, expect, test } from 'vitest'
import { Connections } from '../../api/push/connections.ts'
import { Departures } from '../../api/push/departures.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { StreamBalance } from '../../server/servers/stream-balance.ts'
import { FakeSession, FakeStream } from '../api/push/connections.fixture.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

const clients = 3_000

/** Three servers and clients that go where chance sends them when they are asked to, the new stream before the old one. */
class Fleet {
  readonly clock = new FakeClock()
  moves = 0
  readonly ended: string[] = []
  readonly #random = seededRandom(3)
  readonly #servers = [0, 1, 2].map(() => new Connections(this.clock))

  constructor() {
    for (const [self, connections] of this.#servers.entries()) {
      const env = { clock: this.clock, random: this.#random, metrics: createMetrics() }
      const departures = new Departures(env, connections, { maxConnectionAgeMs: 1_800_000, graceMs: 30_000 })
      new StreamBalance({
        clock: this.clock,
        own: () => ({ open: connections.streams, leaving: departures.leaving }),
        others: () => this.streams().filter((_, index) => index !== self),
        shed: count => departures.shed(count),
      })
    }
  }

  streams(): readonly number[] {
    return this.#servers.map(connections => connections.streams)
  }

  connect(server: number): void {
    const connections = this.#servers[server] ?? this.#servers[0]
    if (connections === undefined) throw new Error('there is no server')
    new FakeStream(connections, { session: new FakeSession(), onMove: stream => this.#move(stream, server) })
  }

  #move(stream: FakeStream, from: number): void {
    this.moves++
    this.clock.after(200 + 1_000 * this.#random(), () => {
      this.connect((from + 1 + Math.floor(this.#random() * 2)) % 3)
      this.clock.after(300, () => {
        if (stream.isClosed) this.ended.push(...stream.told)
        stream.leave()
      })
    })
  }
}

describe('R3: a server that kept all streams after a roll-out', () => {
  test('sends its surplus to the others within five minutes, ends none, and then all is quiet', () => {
    const fleet = new Fleet()
    for (let i = 0; i < clients; i++) fleet.connect(0)
    fleet.clock.advance(300_000)
    const [most, fewest] = [Math.max(...fleet.streams()), Math.min(...fleet.streams())]
    expect(most / fewest).toBeLessThan(1.3)
    expect(fleet.ended).toEqual([])
    const { moves } = fleet
    expect(moves).toBeGreaterThanOrEqual(clients * 0.55)
    expect(moves).toBeLessThan(clients)
    fleet.clock.advance(600_000)
    expect(fleet.moves).toBe(moves)
    expect(fleet.streams().reduce((sum, streams) => sum + streams, 0)).toBe(clients)
  })
})
