// Which connection a request gets, who waits, and when connections open and close.
import { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import { EndpointPool } from '../../../proxy-client/pool/endpoint-pool.ts'
import { PoolTimeouts } from '../../../proxy-client/pool/pool-timeouts.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { openWorld, type PoolWorld } from './pool-world.fixture.ts'
import { answering } from './raw-backend.fixture.ts'
import { FedBody, RecordingHandler, requestFor } from './recording-handler.fixture.ts'

let world: PoolWorld
afterEach(() => world.close())

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

/** Two connections, both idle; the first of the backend's was answered last. */
async function twoIdle(): Promise<void> {
  const handlers = [world.send(requestFor()), world.send(requestFor())]
  const [first, second] = [await world.backend.connection(0), await world.backend.connection(1)]
  await Promise.all([first.requests(), second.requests()])
  second.send(ok)
  await Promise.race(handlers.map(handler => handler.over()))
  first.send(ok)
  await Promise.all(handlers.map(handler => handler.over()))
}

describe('the choice of a connection', () => {
  it('opens none before a request comes', async () => {
    world = await openWorld()
    expect(world.pool.connections).toBe(0)
  })

  it('falls on the one that was used last', async () => {
    world = await openWorld()
    await twoIdle()
    for (let i = 0; i < 3; i++) {
      const handler = world.send(requestFor())
      await world.backend.connections[0]?.requests(i + 2)
      world.backend.connections[0]?.send(ok)
      await handler.over()
    }
    expect(world.pool.connections).toBe(2)
  })

  it('never falls on one that the upstream has closed while it was idle', async () => {
    world = await openWorld()
    await twoIdle()
    world.backend.connections[0]?.end()
    await expect.poll(() => world.pool.connections).toBe(1)
    const handler = world.send(requestFor())
    await world.backend.connections[1]?.requests(2)
    world.backend.connections[1]?.send(ok)
    expect((await handler.over()).events).toEqual(['200', 'end'])
  })

  it('never falls on one that has said something while it was idle', async () => {
    world = await openWorld()
    await twoIdle()
    world.backend.connections[0]?.send(ok)
    await expect.poll(() => world.pool.connections).toBe(1)
  })

  it('lets a kept connection that closes without an answer be told from a fresh one', async () => {
    world = await openWorld()
    const first = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    connection.send(ok)
    await first.over()
    const second = world.send(requestFor())
    await connection.requests(2)
    connection.socket.destroy()
    expect((await second.over()).failure).toMatchObject({ kind: 'unanswered', isFresh: false })
    const third = world.send(requestFor())
    const other = await (await world.backend.connection(1)).requests()
    other.socket.destroy()
    expect((await third.over()).failure).toMatchObject({ kind: 'unanswered', isFresh: true })
  })

  it('takes a 408 on a kept connection for the good-bye that it is', async () => {
    world = await openWorld()
    const first = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    connection.send(ok)
    await first.over()
    const second = world.send(requestFor())
    await connection.requests(2)
    connection.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    expect((await second.over()).failure).toMatchObject({ kind: 'unanswered', isFresh: false })
  })
})

describe('a limited pool', () => {
  it('serves those that wait in turn', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } }, answering(ok))
    const order: number[] = []
    await Promise.all(
      [1, 2, 3, 4].map(n =>
        world
          .send(requestFor())
          .over()
          .then(() => order.push(n)),
      ),
    )
    expect(order).toEqual([1, 2, 3, 4])
    expect(world.backend.connections).toHaveLength(1)
  })

  it('fails at once what is more than may wait', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1, maxWaiters: 1 } }, answering(ok))
    const [first, second, third] = [1, 2, 3].map(() => world.send(requestFor()))
    expect(third?.failure?.kind).toBe('crowded')
    expect((await first?.over())?.events).toEqual(['200', 'end'])
    expect((await second?.over())?.events).toEqual(['200', 'end'])
  })

  it('passes over a request whose time is over when its turn comes', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } }, answering(ok))
    const first = world.send(requestFor())
    const late = world.send(requestFor('DELETE', { isTooLate: true }))
    const third = world.send(requestFor())
    await Promise.all([first.over(), late.over(), third.over()])
    expect([late.events, third.events]).toEqual([['crowded'], ['200', 'end']])
    expect(world.backend.connections[0]?.received).not.toContain('DELETE')
  })

  it('forgets a request that leaves the queue', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } }, answering(ok))
    const first = world.send(requestFor())
    const gone = new RecordingHandler()
    const sending = world.begin(requestFor('DELETE'), gone)
    const third = world.send(requestFor())
    sending.abort()
    sending.abort()
    await Promise.all([first.over(), third.over()])
    expect(gone.events).toEqual([])
    expect(world.backend.connections[0]?.received).not.toContain('DELETE')
  })

  it('opens another connection for those that wait when one is lost', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } })
    const first = world.send(requestFor())
    const second = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    connection.socket.destroy()
    await first.over()
    const other = await (await world.backend.connection(1)).requests()
    other.send(ok)
    expect((await second.over()).events).toEqual(['200', 'end'])
  })

  it('gives up an idle connection for a request that may change its protocol', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } }, answering(ok))
    await world.send(requestFor()).over()
    const [upgrade, plain] = [world.send(requestFor('GET', { upgrade: 'echo' })), world.send(requestFor())]
    expect((await upgrade.over()).events).toEqual(['200', 'end'])
    expect((await plain.over()).events).toEqual(['200', 'end'])
    expect(world.pool.connections).toBe(1)
  })

  it('lets a request that may change its protocol wait like any other', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } }, answering(ok))
    const handlers = ['', 'echo', ''].map(upgrade => world.send(requestFor('GET', upgrade === '' ? {} : { upgrade })))
    for (const handler of handlers) expect((await handler.over()).events).toEqual(['200', 'end'])
    expect(world.pool.connections).toBe(1)
  })
})

describe('an endpoint that cannot be reached', () => {
  async function unreachable(settings = {}): Promise<PoolWorld> {
    const closed = await openWorld()
    const { endpoint } = closed.backend
    await closed.close()
    return openWorld({ ...settings, endpoint })
  }

  it('refuses each request, and holds nothing of it', async () => {
    world = await unreachable()
    for (const handler of [1, 2, 3].map(() => world.send(requestFor()))) {
      expect((await handler.over()).failure).toMatchObject({ kind: 'refused', isFresh: true })
    }
    expect(world.pool.connections).toBe(0)
  })

  it('refuses those that wait with the one that tried', async () => {
    world = await unreachable({ hostConnectionPool: { maxSize: 1 } })
    const handlers = [1, 2, 3].map(() => world.send(requestFor('GET', { body: new FedBody() })))
    for (const handler of handlers) expect((await handler.over()).events).toEqual(['refused'])
  })

  it('refuses a request that may change its protocol', async () => {
    world = await unreachable()
    expect((await world.send(requestFor('CONNECT')).over()).events).toEqual(['refused'])
  })

  it('that is no address refuses too', async () => {
    world = await openWorld({ endpoint: { address: '127.0.0.1', port: 70_000, weight: 1 } })
    expect((await world.send(requestFor()).over()).events).toEqual(['refused'])
  })

  it('is tried again only after a while to keep the smallest size', async () => {
    world = await unreachable({ hostConnectionPool: { minSize: 2 } })
    expect(world.pool.connections).toBe(2)
    await expect.poll(() => world.pool.connections).toBe(0)
    world.clock.advance(1_000)
    expect(world.pool.connections).toBe(2)
  })

  it('that never answers is given up in time, and again for the next request', async () => {
    world = await openWorld()
    const clock = new FakeClock()
    const timeouts = new PoolTimeouts({ connectTimeoutMs: 1_000, idleTimeMs: 1 }, { minSize: 0 }, clock)
    const opened: Socket[] = []
    const open = (): Socket => {
      const socket = new Socket()
      opened.push(socket)
      return socket
    }
    const onCrash = (error: unknown): never => {
      throw error
    }
    const common = { open, limits: defaultLimits, timeouts, clock, onCrash, minSize: 0, maxWaiters: 9 }
    const pool = new EndpointPool({ ...common, maxSize: 1 })
    const handlers = [new RecordingHandler(), new RecordingHandler()]
    for (const handler of handlers) pool.send(requestFor(), handler)
    clock.advance(999)
    expect(handlers[0]?.events).toEqual([])
    clock.advance(1)
    expect(handlers.map(({ events }) => events)).toEqual([['refused'], ['refused']])
    expect(opened.every(({ destroyed }) => destroyed)).toBe(true)
    pool.send(requestFor(), new RecordingHandler())
    expect(opened).toHaveLength(2)
    await pool.destroy(new Error('over'))
    expect(clock.waiting).toBe(0)
  })
})

describe('the time of a connection', () => {
  it('ends when it was idle for long', async () => {
    world = await openWorld({ clientSession: { idleTimeMs: 100 } }, answering(ok))
    await world.send(requestFor()).over()
    world.clock.advance(60)
    await world.send(requestFor()).over()
    world.clock.advance(99)
    expect(world.pool.connections).toBe(1)
    world.clock.advance(1)
    expect(world.pool.connections).toBe(0)
    await world.backend.connections[0]?.closed()
  })

  it('does not end while it carries a request', async () => {
    world = await openWorld({ clientSession: { idleTimeMs: 100, lifeTimeMs: 100 } })
    const handler = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    world.clock.advance(1_000)
    connection.send(ok)
    expect((await handler.over()).events).toEqual(['200', 'end'])
    expect(world.pool.connections).toBe(0)
  })

  it('ends when it is old, and idle connections of the smallest size stay otherwise', async () => {
    const clientSession = { idleTimeMs: 100, lifeTimeMs: 1_000 }
    world = await openWorld({ clientSession, hostConnectionPool: { minSize: 1 } }, answering(ok))
    await world.send(requestFor()).over()
    world.clock.advance(900)
    expect(world.pool.connections).toBe(1)
    world.clock.advance(100)
    expect(world.pool.connections).toBe(0)
    await world.backend.connections[0]?.closed()
  })
})

describe('an upstream that says for how long it keeps a connection', () => {
  const keeping = (value: string): string => ok.replace('\r\n', `\r\nKeep-Alive: ${value}\r\n`)

  it.each([
    ['timeout=5', 4_000],
    ['max=9, Timeout=120', 119_000],
    ['timeout=1', 500],
  ])('%s gets no request on it just before it may close it', async (value, ms) => {
    world = await openWorld({ clientSession: { idleTimeMs: 1_000_000 } }, answering(keeping(value)))
    await world.send(requestFor()).over()
    world.clock.advance(ms - 1)
    await world.send(requestFor()).over()
    expect(world.backend.connections).toHaveLength(1)
    world.clock.advance(ms)
    await world.send(requestFor('POST')).over()
    expect(world.backend.connections).toHaveLength(2)
    expect(world.pool.connections).toBe(1)
  })

  it.each(['max=100', 'timeout=never', 'timeout='])('but not with %s is taken at no word', async value => {
    world = await openWorld({ clientSession: { idleTimeMs: 1_000_000 } }, answering(keeping(value)))
    await world.send(requestFor()).over()
    world.clock.advance(999_999)
    await world.send(requestFor()).over()
    expect(world.backend.connections).toHaveLength(1)
  })
})

describe('the end of a pool', () => {
  it('lets what runs and what waits finish, takes nothing new, and leaves nothing', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 1 } })
    const running = world.send(requestFor())
    const waiting = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    let isClosed = false
    const closing = world.pool.close().then(() => (isClosed = true))
    expect(world.send(requestFor()).events).toEqual(['refused'])
    connection.send(ok)
    await running.over()
    await connection.requests(2)
    expect(isClosed).toBe(false)
    connection.send(ok)
    await waiting.over()
    await closing
    expect(world.pool.connections).toBe(0)
    expect(world.clock.waiting).toBe(0)
  })

  it('closes idle connections at once', async () => {
    world = await openWorld({}, answering(ok))
    await world.send(requestFor()).over()
    await world.pool.close()
    await world.backend.connections[0]?.closed()
  })

  it('can be a cut: what runs is broken or unanswered, what waits is refused', async () => {
    world = await openWorld({ hostConnectionPool: { maxSize: 2 } })
    const handlers = [1, 2, 3].map(() => world.send(requestFor()))
    const first = await (await world.backend.connection(0)).requests()
    await (await world.backend.connection(1)).requests()
    first.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n')
    await expect.poll(() => handlers.some(({ events }) => events.length > 0)).toBe(true)
    await world.pool.destroy(new Error('stopping'))
    expect(handlers.map(({ events }) => events.at(-1)).sort()).toEqual(['broken', 'refused', 'unanswered'])
    expect(world.clock.waiting).toBe(0)
  })

  it('of an exchange by its sender says not a word, and closes the connection', async () => {
    world = await openWorld()
    const handler = new RecordingHandler()
    const sending = world.begin(requestFor(), handler)
    const connection = await (await world.backend.connection()).requests()
    sending.abort()
    sending.abort()
    sending.resume()
    await connection.closed()
    expect(handler.events).toEqual([])
    expect(world.pool.connections).toBe(0)
  })

  it('of an exchange that is over harms no other one', async () => {
    world = await openWorld()
    const sending = world.begin(requestFor(), new RecordingHandler())
    const connection = await (await world.backend.connection()).requests()
    connection.send(ok)
    await expect.poll(() => world.pool.connections).toBe(1)
    const second = world.send(requestFor())
    await connection.requests(2)
    sending.abort()
    connection.send(ok)
    expect((await second.over()).events).toEqual(['200', 'end'])
  })
})
