// One request and its response over one connection, as the handler and the backend see them.
import { afterEach, describe, expect, it } from 'vitest'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import { openWorld, type PoolWorld } from './pool-world.fixture.ts'
import { answering } from './raw-backend.fixture.ts'
import { FedBody, RecordingHandler, requestFor } from './recording-handler.fixture.ts'

let world: PoolWorld
afterEach(() => world.close())

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

describe('what goes out', () => {
  it('a head goes out with nothing added when there is no body', async () => {
    world = await openWorld({}, answering(ok))
    const handler = await world.send(requestFor()).over()
    expect(handler.events).toEqual(['200', 'data', 'end'])
    expect(handler.body).toBe('hi')
    expect(world.backend.connections[0]?.received).toBe('GET / HTTP/1.1\r\nHost: web\r\n\r\n')
  })

  it('a method that usually has content says when it has none', async () => {
    world = await openWorld({}, answering(ok))
    await world.send(requestFor('POST')).over()
    expect(world.backend.connections[0]?.received).toBe('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n')
  })

  it('a body of known length follows its head, and trailers follow a chunked one', async () => {
    world = await openWorld()
    const known = new FedBody(5, 'he')
    const handler = world.send(requestFor('PUT', { body: known }))
    const connection = await world.backend.connection()
    await connection.requests()
    known.feed('llo')
    known.end()
    await connection.until(({ received }) => received.endsWith('hello'))
    expect(connection.received).toBe('PUT / HTTP/1.1\r\nHost: web\r\nContent-Length: 5\r\n\r\nhello')
    connection.send(ok)
    await handler.over()

    connection.received = ''
    const chunked = new FedBody(undefined, 'abc')
    const second = world.send(requestFor('PUT', { body: chunked }))
    chunked.feed(Buffer.alloc(5_000, 'x'))
    chunked.end(fieldsOf([['X-Sum', '9']]))
    await connection.until(({ received }) => received.endsWith('9\r\n\r\n'))
    expect(connection.received).toBe(
      `PUT / HTTP/1.1\r\nHost: web\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1388\r\n${'x'.repeat(5_000)}\r\n0\r\nX-Sum: 9\r\n\r\n`,
    )
    connection.send(ok)
    expect((await second.over()).events).toEqual(['200', 'data', 'end'])
    expect(world.backend.connections).toHaveLength(1)
  })
})
