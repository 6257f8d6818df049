// A process of readers, each on a connection of its own, that come back when they are cut off; for P4's soak test.
import { setTimeout as delay } from 'node:timers/promises'
import { BarePeer } from '../api/push/push-peer.fixture.ts'

/** What a change says of itself. */
export interface Change {
  readonly name: string
  readonly round: number
  /** In ms since 1970, with fractions. */
  readonly at: number
}

export interface ReadersOrder {
  readonly port: number
  readonly readers: number
  readonly namesOf: readonly (readonly string[])[]
}

export interface ReadersReport {
  /** Of what came since the last report, in ms. */
  readonly lags: readonly number[]
  /** The newest round of each name that each reader follows. */
  readonly newest: readonly Readonly<Record<string, number>>[]
  /** Times that readers were cut off, ever. */
  readonly cuts: number
}

class Reader {
  readonly #port: number
  readonly #names: readonly string[]
  readonly newest: Record<string, number> = {}
  lags: number[] = []
  cuts = 0
  isPaused = false

  constructor(port: number, names: readonly string[]) {
    this.#port = port
    this.#names = names
  }

  async run(): Promise<never> {
    for (;;) {
      using peer = new BarePeer(this.#port)
      const stream = peer.follow(...this.#names)
      stream.onMessage = message => {
        const { name, round, at }: Change = JSON.parse(message.subarray(0, message.indexOf(0)).toString())
        // One that comes back is sent what is there, whose change may be long ago.
        if (this.newest[name] !== undefined) this.lags.push(performance.timeOrigin + performance.now() - at)
        this.newest[name] = round
        if (this.isPaused) stream.pause()
      }
      await stream.ended()
      this.cuts++
      this.isPaused = false
      for (const name of this.#names) delete this.newest[name]
      await delay(200)
    }
  }
}

const readers: Reader[] = []

process.on('message', (order: ReadersOrder | 'report' | 'pause') => {
  if (order === 'pause') {
    for (const reader of readers) reader.isPaused = true
    return
  }
  if (order === 'report') {
    const report: ReadersReport = {
      lags: readers.flatMap(reader => reader.lags.splice(0)),
      newest: readers.map(({ newest }) => newest),
      cuts: readers.reduce((sum, { cuts }) => sum + cuts, 0),
    }
    process.send?.(report)
    return
  }
  for (const names of order.namesOf) readers.push(new Reader(order.port, names))
  for (const reader of readers) void reader.run()
})
