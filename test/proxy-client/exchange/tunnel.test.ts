import { connect, createServer, type Server, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runTunnel, type TunnelTraffic } from '../../../proxy-client/exchange/tunnel.ts'
import { TimeoutQueue } from '../../../proxy-client/timeout/timeout-queue.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { answer, RawClient, requestHead, settled, startTestListener, until } from './client.fixture.ts'

const nothing = Buffer.alloc(0)

/** Two ends of a tunnel as the outside sees them. */
async function setUp(idleMs?: number) {
  const clock = new FakeClock()
  const accepted: Socket[] = []
  const server: Server = createServer({ allowHalfOpen: true }, socket => accepted.push(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const dial = () => new RawClient(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }))
  const client = dial()
  await until(() => accepted.length === 1)
  const upstream = dial()
  await until(() => accepted.length === 2)
  const over: TunnelTraffic[] = []
  const [a, b] = accepted
  if (a === undefined || b === undefined) throw new Error('unreachable')
  const cut = runTunnel(
    { socket: a, early: Buffer.from('early') },
    { socket: b, early: nothing },
    {
      idle: idleMs === undefined ? undefined : new TimeoutQueue(clock, idleMs),
      onOver: traffic => over.push(traffic),
    },
  )
  onTestFinished(() => {
    for (const socket of [...accepted, client.socket, upstream.socket]) socket.destroy()
    server.close()
  })
  return { client, upstream, cut, over, clock }
}

describe('a tunnel', () => {
  it('carries bytes both ways, those that came early first, and counts them', async () => {
    const { client, upstream, over } = await setUp()
    client.send(' bird')
    upstream.send('worm')
    await Promise.all([upstream.sees('early bird'), client.sees('worm')])
    client.socket.end()
    upstream.socket.end()
    await until(() => over.length === 1)
    expect(over).toEqual([{ fromClient: 10, fromUpstream: 4 }])
  })

  it('passes on the end of one side, and the other may go on', async () => {
    const { client, upstream, over } = await setUp()
    client.socket.end('question')
    await until(() => upstream.hasEnded)
    expect(over).toHaveLength(0)
    upstream.socket.end('answer')
    expect(await client.ends()).toBe('answer')
    await until(() => over.length === 1)
  })

  it('closes both sides when one breaks', async () => {
    const { client, upstream, over } = await setUp()
    await upstream.sees('early')
    client.socket.resetAndDestroy()
    await upstream.ends()
    upstream.socket.destroy()
    await until(() => over.length === 1)
  })

  it('does not read from one side what the other does not take', async () => {
    const { client, upstream } = await setUp()
    upstream.socket.pause()
    client.send(Buffer.alloc(20_000_000))
    expect(await settled(() => client.socket.writableLength)).toBeGreaterThan(5_000_000)
    upstream.socket.resume()
    await until(() => client.socket.writableLength === 0)
  })

  it('through which nothing comes is cut after a while', async () => {
    const { client, upstream, over, clock } = await setUp(1_000)
    await upstream.sees('early')
    clock.advance(900)
    client.send('more')
    await upstream.sees('more')
    clock.advance(900)
    expect(await settled(() => over.length)).toBe(0)
    clock.advance(100)
    await until(() => over.length === 1)
    expect([clock.waiting, (await client.ends()) === '']).toEqual([0, true])
  })

  it('is cut when asked', async () => {
    const { client, upstream, cut, over } = await setUp()
    cut()
    await Promise.all([client.ends(), upstream.ends()])
    await until(() => over.length === 1)
  })
})

describe('a connection that becomes a tunnel', () => {
  it.each([
    ['CONNECT db:5432', [], 200, ''],
    ['GET /', ['Connection: Upgrade', 'Upgrade: websocket'], 101, 'Upgrade: websocket\r\n'],
  ])('%s gives away its socket with what came ahead', async (first, fields, status, lines) => {
    const { open, inbound, listener } = await startTestListener()
    const client = open().send(`${requestHead(first, ...fields)}ahead`)
    const request = await inbound()
    let closes = 0
    request.onClose(() => closes++)
    const tunnel = request.response.tunnel(status, 'Fine', lines)
    expect(tunnel?.early.toString()).toBe('ahead')
    const connection = status === 101 ? 'Connection: upgrade\r\n' : ''
    await client.sees(`HTTP/1.1 ${status} Fine\r\n${lines}${connection}\r\n`)
    tunnel?.socket.on('data', chunk => tunnel.socket.write(chunk)).resume()
    client.send('ping')
    await client.sees(/ping$/)
    expect([listener.connections, listener.requests, closes]).toEqual([1, 1, 0])
    client.socket.destroy()
    tunnel?.socket.destroy()
    await until(() => listener.connections === 0)
    expect([listener.requests, closes, request.isAbandoned]).toEqual([0, 1, false])
  })

  it('may do so within the call of the handler', async () => {
    const early: string[] = []
    const { open } = await startTestListener(({ response }) => {
      const tunnel = response.tunnel(200, 'Fine', '')
      early.push(String(tunnel?.early))
      tunnel?.socket.end()
    })
    await open()
      .send(`${requestHead('CONNECT db:5432')}ahead`)
      .ends()
    expect(early).toEqual(['ahead'])
  })

  it('loses no byte that comes while nobody listens', async () => {
    const { open, inbound } = await startTestListener()
    const client = open().send(requestHead('CONNECT db:5432'))
    const tunnel = (await inbound()).response.tunnel(200, 'Fine', '')
    client.send('one')
    await settled(() => client.text.length)
    client.send('two')
    await settled(() => client.text.length)
    let text = ''
    tunnel?.socket
      .on('data', chunk => {
        text += String(chunk)
      })
      .resume()
    await until(
      () => text === 'onetwo',
      () => text,
    )
  })

  it('does not when the request is not whole', async () => {
    const { open, inbound } = await startTestListener()
    open().send(requestHead('GET /', 'Connection: Upgrade', 'Upgrade: x', 'Content-Length: 5'))
    expect((await inbound()).response.tunnel(101, 'Fine', '')).toBeUndefined()
  })

  it('closes after a change of protocols that is refused, when something came ahead', async () => {
    const { open } = await startTestListener(inbound => answer(inbound, 'no', 400))
    const upgrade = requestHead('GET /', 'Connection: Upgrade', 'Upgrade: websocket')
    const client = open().send(`${upgrade}GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n`)
    await client.sees('no')
    expect((await client.ends()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
  })

  it('closes after a CONNECT that is refused: what follows is no HTTP', async () => {
    const { open } = await startTestListener(inbound => answer(inbound, 'no', 502))
    const client = open().send(`${requestHead('CONNECT db:5432')}GET /smuggled HTTP/1.1\r\nHost: web\r\n\r\n`)
    expect((await client.ends()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 502'])
  })
})
