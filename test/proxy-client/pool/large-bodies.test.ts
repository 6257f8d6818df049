// Memory that is read into again must never be what somebody still keeps: bodies by checksum, with receivers that keep slices
// for a while as a slow client's socket does.
import { createHash } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { seededRandom } from '../seeded-random.fixture.ts'
import { openWorld, type PoolWorld } from './pool-world.fixture.ts'
import type { BackendConnection } from './raw-backend.fixture.ts'
import { FedBody, RecordingHandler, requestFor } from './recording-handler.fixture.ts'

let world: PoolWorld
afterEach(() => world.close())

const size = 1.5 * 1024 * 1024 + 17
const payload = Buffer.alloc(size)
const random = seededRandom(11)
for (let i = 0; i + 4 <= size; i += 4) payload.writeUInt32LE(Math.floor(random() * 2 ** 32), i)
const sum = createHash('sha1').update(payload).digest('hex')

/** Keeps slices, as a socket that does not take them at once, and looks at them only when it lets them go. */
class SlowHandler extends RecordingHandler {
  readonly #hash = createHash('sha1')
  readonly #chance: () => number
  #kept: Buffer[] = []
  kept = 0
  bytes = 0
  resume: () => void = () => undefined

  constructor(chance: () => number) {
    super()
    this.#chance = chance
    Object.defineProperty(this, 'isDrained', { get: () => this.#kept.length === 0 })
  }

  override onData(slice: Buffer): boolean {
    this.bytes += slice.length
    this.#kept.push(slice)
    if (this.#chance() < 0.5) this.letGo()
    else this.kept++
    const takesMore = this.#chance() < 0.7
    if (!takesMore) {
      setImmediate(() => {
        this.letGo()
        this.resume()
      })
    }
    return takesMore
  }

  letGo(): void {
    for (const slice of this.#kept) this.#hash.update(slice)
    this.#kept = []
  }

  sum(): string {
    this.letGo()
    return this.#hash.digest('hex')
  }
}

function sendingPayload(connection: BackendConnection): void {
  let answered = 0
  connection.socket.on('data', () => {
    for (; answered < connection.received.split('\r\n\r\n').length - 1; answered++) {
      connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      connection.socket.write(payload)
    }
  })
}

it('large bodies to slow receivers on many connections come as they were sent', async () => {
  world = await openWorld({}, sendingPayload)
  const chance = seededRandom(5)
  const receive = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      const handler = new SlowHandler(chance)
      const sending = world.begin(requestFor(), handler)
      handler.resume = () => sending.resume()
      await handler.over()
      expect([handler.bytes, handler.sum()]).toEqual([size, sum])
      expect(handler.kept).toBeGreaterThan(0)
    }
  }
  await Promise.all([receive(2), receive(2), receive(2), receive(2)])
  expect(world.pool.connections).toBe(4)
})

it('a large body of a request comes as it was sent, in chunks or by length, under back-pressure', async () => {
  world = await openWorld()
  for (const length of [size, undefined]) {
    const body = new FedBody(length)
    const resumed: (() => void)[] = []
    body.resume = () => resumed.shift()?.()
    const handler = world.send(requestFor('PUT', { body }))
    const connection = await world.backend.connection()
    await expect.poll(() => body.sink).toBeDefined()
    for (let at = 0; at < size; at += 50_000) {
      if (body.feed(payload.subarray(at, at + 50_000))) continue
      await new Promise<void>(resolve => resumed.push(resolve))
    }
    body.end()
    const isWhole = (received: string): boolean =>
      length === undefined
        ? received.endsWith('\r\n0\r\n\r\n')
        : received.length >= size + received.indexOf('\r\n\r\n') + 4
    await connection.until(({ received }) => isWhole(received))
    const text = connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4)
    connection.received = ''
    expect(
      createHash('sha1')
        .update(unchunked(text, length === undefined), 'latin1')
        .digest('hex'),
    ).toBe(sum)
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await handler.over()
  }
})

function unchunked(text: string, isChunked: boolean): string {
  if (!isChunked) return text
  let payloadText = ''
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at)
    const bytes = Number.parseInt(text.slice(at, end), 16)
    if (bytes === 0) return payloadText
    payloadText += text.slice(end + 2, end + 2 + bytes)
    at = end + 4 + bytes
  }
}
