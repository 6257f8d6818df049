// One request and its response over one connection, as the handler and the backend see them.
import { afterEach, describe, expect, it } from 'vitest'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import { openWorld, type PoolWorld } from './pool-world.fixture.ts'
import { answering } from './raw-backend.fixture.ts'
import { FedBody, RecordingHandler, requestFor } from './recording-handler.fixture.ts'

let world: PoolWorld
afterEach(() => world.close())

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'

describe('a request', () => {
  it('goes out with nothing added when it has no body', async () => {
    world = await openWorld({}, answering(ok))
    const handler = await world.send(requestFor()).over()
    expect(handler.events).toEqual(['200', 'data', 'end'])
    expect(handler.body).toBe('hi')
    expect(world.backend.connections[0]?.received).toBe('GET / HTTP/1.1\r\nHost: web\r\n\r\n')
  })

  it('says that it has no content where a server would expect some', async () => {
    world = await openWorld({}, answering(ok))
    await world.send(requestFor('POST')).over()
    expect(world.backend.connections[0]?.received).toBe('POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n')
  })

  it('has its body after its head, chunked by us when nobody knows the length, with its trailers', async () => {
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

  it('that waits for 100 (Continue) sends its head first, and its body whether or not the upstream says so', async () => {
    world = await openWorld()
    const body = new FedBody(2)
    const handler = world.send(requestFor('PUT', { body, expectsContinue: true }))
    const connection = await (await world.backend.connection()).requests()
    expect(connection.received).toContain('Expect: 100-continue\r\n')
    connection.send('HTTP/1.1 100 Continue\r\n\r\n')
    await handler.until(({ events }) => events.length > 0)
    body.feed('hi')
    body.end()
    await connection.until(({ received }) => received.endsWith('\r\n\r\nhi'))
    connection.send(ok)
    expect((await handler.over()).events).toEqual(['interim 100', '200', 'data', 'end'])
  })

  it('whose client leaves in the middle of its body is cut', async () => {
    world = await openWorld()
    const body = new FedBody(100, 'part')
    const handler = world.send(requestFor('PUT', { body }))
    const connection = await (await world.backend.connection()).requests()
    body.sink?.onCut(new Error('gone'))
    expect(handler.events).toEqual(['bodyCut'])
    await connection.closed()
    expect(world.pool.connections).toBe(0)
  })

  it('asks for a pause while the upstream takes nothing, and goes on when it does', async () => {
    world = await openWorld({}, ({ socket }) => socket.pause())
    const body = new FedBody()
    const handler = world.send(requestFor('PUT', { body }))
    const connection = await world.backend.connection()
    await expect.poll(() => body.sink).toBeDefined()
    const slice = Buffer.alloc(64 * 1024, 'x')
    let fed = 0
    for (let takesMore = true; takesMore; fed++) takesMore = body.feed(slice)
    expect(body.resumes).toBe(0)
    connection.socket.resume()
    await connection.until(() => body.resumes === 1)
    body.end()
    await connection.until(({ received }) => received.endsWith('0\r\n\r\n'))
    expect(connection.received.split('x').length - 1).toBe(fed * slice.length)
    connection.send(ok)
    await handler.over()
  })
})

describe('a response', () => {
  const whole: readonly (readonly [string, string, string, string])[] = [
    ['with a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
    ['in chunks', 'GET', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n', 'hi'],
    ['to HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n', ''],
    ['without content', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['of HTTP/1.0 that keeps', 'GET', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi', 'hi'],
  ]
  it.each(whole)('%s leaves the connection for the next request', async (_, method, text, body) => {
    world = await openWorld({}, answering(text))
    for (let i = 0; i < 3; i++) {
      const handler = await world.send(requestFor(method)).over()
      expect(handler.events.at(-1)).toBe('end')
      expect(handler.body).toBe(body)
    }
    expect(world.backend.connections).toHaveLength(1)
    expect(world.pool.connections).toBe(1)
  })

  const last: readonly (readonly [string, string])[] = [
    ['that says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    ['followed by bytes that nobody asked for', `${ok}HTTP/1.1 200 OK\r\n`],
  ]
  it.each(last)('%s is the last of its connection', async (_, text) => {
    world = await openWorld({}, answering(text))
    expect((await world.send(requestFor()).over()).body).toBe('hi')
    expect(world.pool.connections).toBe(0)
    expect((await world.send(requestFor()).over()).body).toBe('hi')
    expect(world.backend.connections).toHaveLength(2)
  })

  it('that ends with its connection is whole at the end', async () => {
    world = await openWorld({}, connection => {
      void connection.requests().then(() => connection.end('HTTP/1.1 200 OK\r\n\r\nhi'))
    })
    const handler = await world.send(requestFor()).over()
    expect([handler.events, handler.body]).toEqual([['200', 'data', 'end'], 'hi'])
    expect(world.pool.connections).toBe(0)
  })

  it('brings its interim responses and its trailers', async () => {
    world = await openWorld(
      {},
      answering(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 9\r\n\r\n',
      ),
    )
    const handler = await world.send(requestFor()).over()
    expect(handler.events).toEqual(['interim 103', '200', 'end'])
    expect(handler.trailers).toBe('X-Sum: 9\r\n')
  })

  it('stands still while its handler takes nothing', async () => {
    world = await openWorld()
    const handler = new RecordingHandler()
    handler.takesData = false
    const sending = world.begin(requestFor(), handler)
    const { socket } = await (await world.backend.connection()).requests()
    const size = 16 * 1024 * 1024
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size, 'x'))
    await handler.until(({ body }) => body.length > 0)
    const { length } = handler.body
    expect(length).toBeLessThan(1024 * 1024)
    handler.takesData = true
    sending.resume()
    await handler.over()
    expect(handler.body).toHaveLength(size)
  })

  it('that was paused at its very end leaves a connection that reads', async () => {
    world = await openWorld({}, answering(ok))
    const handler = new RecordingHandler()
    handler.takesData = false
    await world.send(requestFor(), handler).over()
    expect((await world.send(requestFor()).over()).body).toBe('hi')
    expect(world.backend.connections).toHaveLength(1)
  })

  it('may come before the request is whole: it is relayed, then the connection is closed', async () => {
    world = await openWorld()
    const body = new FedBody(100, 'part')
    const handler = world.send(requestFor('PUT', { body }))
    const connection = await (await world.backend.connection()).requests()
    connection.send(ok)
    await handler.over()
    expect(handler.events).toEqual(['200', 'data', 'end'])
    expect(body.isDiscarded).toBe(true)
    await connection.closed()
  })

  it('may run beside a request that goes on', async () => {
    world = await openWorld()
    const body = new FedBody(undefined, 'ping')
    const handler = world.send(requestFor('POST', { body }))
    const connection = await (await world.backend.connection()).until(({ received }) => received.includes('ping'))
    connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n')
    await handler.until(({ body: got }) => got === 'pong')
    body.feed('more')
    body.end()
    await connection.until(({ received }) => received.endsWith('0\r\n\r\n'))
    connection.send('0\r\n\r\n')
    expect((await handler.over()).events).toEqual(['200', 'data', 'end'])
    expect(world.pool.connections).toBe(1)
  })

  it('that refuses a body and closes ends the sending of it', async () => {
    world = await openWorld()
    const body = new FedBody(100, 'part')
    const handler = world.send(requestFor('PUT', { body }))
    const connection = await (await world.backend.connection()).requests()
    connection.send('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\n')
    await handler.until(({ events }) => events.length > 0)
    expect(body.isDiscarded).toBe(true)
    connection.end('no')
    expect((await handler.over()).events).toEqual(['413', 'data', 'end'])
  })

  it('that came just before the reset on which the sending of the body fails is not lost', async () => {
    world = await openWorld()
    const body = new FedBody(1_000_000, 'first')
    const handler = world.send(requestFor('POST', { body }))
    const connection = await (await world.backend.connection()).until(({ received }) => received.endsWith('first'))
    connection.send('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno')
    connection.socket.resetAndDestroy()
    body.feed('second')
    await handler.over()
    expect([handler.events, handler.body]).toEqual([['413', 'data', 'end'], 'no'])
  })

  it('that never came is not waited for when the sending of the body fails', async () => {
    world = await openWorld()
    const body = new FedBody(1_000_000, 'first')
    const handler = world.send(requestFor('POST', { body }))
    const connection = await (await world.backend.connection()).until(({ received }) => received.endsWith('first'))
    connection.socket.resetAndDestroy()
    body.feed('second')
    await expect
      .poll(() => {
        world.clock.turn()
        return handler.events
      })
      .toEqual(['unanswered'])
    expect(world.pool.connections).toBe(0)
  })

  it('is not looked for where the request cannot have come', async () => {
    world = await openWorld()
    const first = world.send(requestFor())
    const connection = await (await world.backend.connection()).requests()
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await first.over()
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad')
    connection.socket.resetAndDestroy()
    const handler = world.send(requestFor('POST', { body: new FedBody(5, 'small') }))
    expect((await handler.over()).events).toEqual(['unanswered'])
  })

  it('that breaks the rules is not trusted, nor is what follows it', async () => {
    world = await openWorld({}, answering(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n${ok}`))
    expect((await world.send(requestFor()).over()).events).toEqual(['malformed'])
    expect(world.pool.connections).toBe(0)
  })

  it('that breaks the rules in mid-body fails what was begun', async () => {
    world = await openWorld({}, answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\nzz\r\n'))
    expect((await world.send(requestFor()).over()).events).toEqual(['200', 'data', 'malformed'])
    expect(world.pool.connections).toBe(0)
  })
})

describe('a change of protocol', () => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'

  it('hands over the socket with what came behind the head', async () => {
    world = await openWorld({}, answering(`${switching}early`))
    const handler = await world.send(requestFor('GET', { upgrade: 'echo' })).over()
    expect(handler.events).toEqual(['tunnel 101'])
    expect(handler.tunnel?.early.toString()).toBe('early')
    const connection = await world.backend.connection()
    expect(connection.received).toContain('Connection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    handler.tunnel?.socket.write('late')
    await connection.until(({ received }) => received.endsWith('late'))
    connection.send('later')
    const socket = handler.tunnel?.socket
    const later = await new Promise<string>(resolve => socket?.once('data', data => resolve(String(data))).resume())
    expect(later).toBe('later')
    socket?.destroy()
    expect(world.pool.connections).toBe(0)
    expect(socket?.listenerCount('drain')).toBe(0)
  })

  it('is opened by CONNECT too', async () => {
    world = await openWorld({}, answering('HTTP/1.1 200 OK\r\n\r\n'))
    const handler = await world.send(requestFor('CONNECT')).over()
    expect(handler.events).toEqual(['tunnel 200'])
    handler.tunnel?.socket.destroy()
  })

  it('that is declined is an ordinary response', async () => {
    world = await openWorld({}, answering(ok))
    expect((await world.send(requestFor('GET', { upgrade: 'echo' })).over()).events).toEqual(['200', 'data', 'end'])
    expect((await world.send(requestFor()).over()).body).toBe('hi')
    expect(world.backend.connections).toHaveLength(1)
  })

  it.each([
    ['to another protocol', 'GET', 'HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'],
    ['to one more protocol', 'GET', 'HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: echo, other\r\n\r\n'],
    ['to no protocol', 'GET', 'HTTP/1.1 101 Odd\r\n\r\n'],
    ['that Connection does not name', 'GET', 'HTTP/1.1 101 Odd\r\nUpgrade: echo\r\n\r\n'],
    ['by 101 to CONNECT', 'CONNECT', switching],
  ])('%s is malformed', async (_what, method, text) => {
    world = await openWorld({}, answering(text))
    const handler = world.send(requestFor(method, method === 'GET' ? { upgrade: 'Echo' } : {}))
    expect((await handler.over()).events).toEqual(['malformed'])
    expect(world.pool.connections).toBe(0)
  })

  it('is one whatever the case of its name', async () => {
    world = await openWorld({}, answering(switching))
    const handler = await world.send(requestFor('GET', { upgrade: 'other, ECHO' })).over()
    expect(handler.events).toEqual(['tunnel 101'])
    handler.tunnel?.socket.destroy()
  })

  it('that nobody asked for is malformed', async () => {
    world = await openWorld({}, answering(switching))
    expect((await world.send(requestFor()).over()).events).toEqual(['malformed'])
    expect(world.pool.connections).toBe(0)
  })
})
