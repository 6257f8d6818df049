// Upstreams that close, reset or lie at every possible byte: no request may get what is not its own, nor wait for ever.
import { afterEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded-random.fixture.ts'
import { openWorld, type PoolWorld } from './pool-world.fixture.ts'
import type { BackendConnection } from './raw-backend.fixture.ts'
import { RecordingHandler, requestFor } from './recording-handler.fixture.ts'

let world: PoolWorld
afterEach(() => world.close())

const responses = {
  'a length': 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody',
  chunks:
    'HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nA: b\r\n\r\n',
} as const

/** Answers the request on the line that names how many bytes it gets. */
function cutting(text: string, cut: (connection: BackendConnection, part: string) => void) {
  return (connection: BackendConnection): void => {
    void connection.requests().then(() => {
      const bytes = Number(/^GET \/(\d+)/.exec(connection.received)?.[1])
      cut(connection, text.slice(0, bytes))
    })
  }
}

const ways: Readonly<Record<string, (connection: BackendConnection, part: string) => void>> = {
  closed: (connection, part) => connection.end(part),
  reset: ({ socket }, part) => {
    socket.write(part, 'latin1', () => socket.resetAndDestroy())
  },
}

it('an error of our own costs the connection that it befell, and the next request has another', async () => {
  world = await openWorld({}, connection => {
    void connection.requests().then(() => connection.socket.write(responses['a length'], 'latin1'))
  })
  const mistake = new Error('a mistake')
  const bad = new RecordingHandler()
  bad.onResponse = () => {
    throw mistake
  }
  expect((await world.send(requestFor(), bad).over()).events.at(-1)).toBe('broken')
  expect(world.crashes).toEqual([mistake])
  expect((await world.send(requestFor()).over()).events.at(-1)).toBe('end')
  expect(world.backend.connections).toHaveLength(2)
})

describe.each(Object.entries(responses))('a response with %s', (_, text) => {
  it.each(Object.entries(ways))('%s at any byte is never taken for whole', async (_way, cut) => {
    world = await openWorld({}, cutting(text, cut))
    const head = text.lastIndexOf('\r\n\r\n', text.lastIndexOf('body')) + 4
    const cuts = Array.from({ length: text.length }, (_unused, bytes) => bytes)
    await Promise.all(
      cuts.map(async bytes => {
        const headText = `GET /${bytes} HTTP/1.1\r\nHost: web\r\n`
        const handler = await world.send(requestFor('GET', { headText })).over()
        const kind = bytes < head ? 'unanswered' : 'broken'
        // A reset may overtake what was sent before it.
        const kinds = cut === ways.reset ? ['unanswered', 'broken'] : [kind]
        expect(kinds, `cut after ${bytes}`).toContain(handler.events.at(-1))
        expect('body'.startsWith(handler.body)).toBe(true)
      }),
    )
    expect(world.pool.connections).toBe(0)
  })

  it('comes through whole in any two pieces', async () => {
    world = await openWorld({}, connection => {
      void connection.requests().then(() => {
        const bytes = Number(/^GET \/(\d+)/.exec(connection.received)?.[1])
        connection.socket.write(text.slice(0, bytes), 'latin1', () =>
          setImmediate(() => connection.send(text.slice(bytes))),
        )
      })
    })
    for (let bytes = 1; bytes < text.length; bytes++) {
      const headText = `GET /${bytes} HTTP/1.1\r\nHost: web\r\n`
      const handler = await world.send(requestFor('GET', { headText })).over()
      expect([handler.events.at(-1), handler.body]).toEqual(['end', 'body'])
      expect(world.pool.connections).toBe(1)
      // The backend reads one request of each connection.
      world.clock.advance(60_000)
    }
  })
})

it('whatever upstreams do, a request gets its own answer or none, and nothing is left', async () => {
  const random = seededRandom(7)
  const kinds = ['whole', 'whole', 'whole', 'close', 'extra', 'reset', 'silent', 'early'] as const
  world = await openWorld({ hostConnectionPool: { maxSize: 8 } }, connection => {
    let answered = 0
    connection.socket.on('data', () => {
      const requests = connection.received.split('\r\n\r\n')
      for (; answered < requests.length - 1; answered++) {
        const id = /^GET \/(\d+)/.exec(requests[answered] ?? '')?.[1] ?? ''
        const kind = kinds[Math.floor(random() * kinds.length)]
        const text = `HTTP/1.1 200 OK\r\nContent-Length: ${id.length}\r\n\r\n${id}`
        if (kind === 'reset') connection.socket.resetAndDestroy()
        else if (kind === 'silent') connection.end()
        else if (kind === 'early') connection.send(text.slice(0, -1)).end()
        else if (kind === 'close') connection.end(text)
        else if (kind === 'extra') connection.send(`${text}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad`)
        else connection.send(text)
      }
    })
  })
  const outcomes = { own: 0, none: 0, foreign: 0 }
  await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      const handler = new RecordingHandler()
      const headText = `GET /${i} HTTP/1.1\r\nHost: web\r\n`
      const sending = world.begin(requestFor('GET', { headText }), handler)
      if (random() < 0.1) {
        sending.abort()
        return
      }
      await handler.over()
      if (handler.events.at(-1) !== 'end') outcomes.none++
      else if (handler.body === String(i)) outcomes.own++
      else outcomes.foreign++
    }),
  )
  expect(outcomes.foreign).toBe(0)
  expect(outcomes.own).toBeGreaterThan(100)
  await world.pool.close()
  expect([world.pool.connections, world.clock.waiting]).toEqual([0, 0])
})
