// Connections that leave HTTP behind: WebSocket and CONNECT through the whole proxy.
import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { FakeClock } from '../fakes/clock.fake.ts'
import { openRawBackend } from './pool/raw-backend.fixture.ts'
import { send, startTestProxy, startUpstream, type TestUpstream } from './proxy.fixture.ts'

const nothing: RequestListener = (_, response) => void response.end()

/** Answers the handshake of a WebSocket and sends each frame back unmasked (RFC 6455); frames are short here. */
async function startEcho(): Promise<TestUpstream> {
  const upstream = await startUpstream(nothing)
  upstream.server.on('upgrade', (message, socket) => {
    const key = `${message.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      for (let frame = frameOf(received); frame !== undefined; frame = frameOf(received)) {
        socket.write(frame.answer)
        // After the closing frame the server closes the connection.
        if (frame.isClosing) socket.end()
        received = received.subarray(frame.bytes)
      }
    })
    socket.on('end', () => socket.end()).on('error', () => undefined)
  })
  return upstream
}

/** The masked frame that a buffer begins with, as it is sent back. */
function frameOf(
  buffer: Buffer,
): { readonly bytes: number; readonly isClosing: boolean; readonly answer: Buffer } | undefined {
  const length = (buffer[1] ?? 0) & 0x7f
  const bytes = 6 + length
  if (buffer.length < 6 || buffer.length < bytes) return undefined
  const payload = Buffer.from(buffer.subarray(6, bytes)).map((byte, i) => byte ^ (buffer[2 + (i % 4)] ?? 0))
  const [start = 0] = buffer
  return { bytes, isClosing: (start & 0x0f) === 8, answer: Buffer.concat([Buffer.from([start, length]), payload]) }
}

it('a WebSocket talks through the proxy both ways, and closes on both sides', async () => {
  const { port, naming } = await startTestProxy()
  const echo = await startEcho()
  naming.route(`/svc/127.0.0.1:${port}`, '/#/echo', [{ address: '127.0.0.1', port: echo.port, weight: 1 }])
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const heard: string[] = []
  const closed = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => ['one', 'two'].forEach(word => void socket.send(word)))
    socket.addEventListener('message', ({ data }) => {
      heard.push(String(data))
      if (heard.length < 4) socket.send(`more ${heard.length}`)
      else socket.close()
    })
    socket.addEventListener('error', () => reject(new Error('the WebSocket failed')))
    socket.addEventListener('close', () => resolve())
  })
  await closed
  expect(heard.slice(0, 2)).toEqual(['one', 'two'])
  expect(heard).toHaveLength(4)
  await echo.allClosed()
})

it('an upgrade that the upstream declines is answered as usual', async () => {
  const { port, naming } = await startTestProxy()
  const upstream = await startUpstream((_, response) => void response.end('no'))
  naming.route('/svc/web', '/#/web', [{ address: '127.0.0.1', port: upstream.port, weight: 1 }])
  const text = await exchange(
    port,
    'GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
    'no',
  )
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
})

it('CONNECT goes to an endpoint by name, with what the client sent ahead', async () => {
  const { port, naming } = await startTestProxy()
  const server = createServer()
  server.on('connect', (message, socket: Socket, ahead: Buffer) => {
    socket.write(`HTTP/1.1 200 Connected\r\n\r\n${message.url}:${ahead.toString()}`)
    socket.on('data', data => socket.write(data.toString().toUpperCase()))
    socket.on('end', () => socket.end('bye'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port: upstreamPort } = server.address() as AddressInfo // a TCP server has no other kind
  naming.route('/svc/db:5432', '/#/db', [{ address: '127.0.0.1', port: upstreamPort, weight: 1 }])
  const text = await exchange(port, 'CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\nahead', 'AHEAD')
  expect(text).toMatch(/^HTTP\/1\.1 200 /)
  expect(text).toContain('\r\n\r\ndb:5432:')
})

it('a tunnel through which nothing comes is cut on both sides', async () => {
  const clock = new FakeClock(Date.now())
  const { port, naming } = await startTestProxy({ router: { servers: [{ port: 0, tunnelIdleTimeMs: 5_000 }] }, clock })
  const { server, port: upstreamPort, allClosed } = await startUpstream(nothing)
  server.on('connect', (_, socket: Socket) => {
    socket.on('end', () => socket.end())
    socket.write('HTTP/1.1 200 Connected\r\n\r\nhello')
  })
  naming.route('/svc/db:5432', '/#/db', [{ address: '127.0.0.1', port: upstreamPort, weight: 1 }])
  const client = connect({ port, host: '127.0.0.1' }, () =>
    client.write('CONNECT db:5432 HTTP/1.1\r\nHost: db\r\n\r\n'),
  )
  const closed = new Promise<void>(resolve => client.on('close', () => resolve()))
  let text = ''
  for (client.on('data', data => (text += data.toString())); !text.endsWith('hello'); ) await new Promise(setImmediate)
  clock.advance(4_999)
  expect(client.closed).toBe(false)
  clock.advance(1)
  await Promise.all([closed, allClosed()])
})

const switching = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
const upgrade = 'GET / HTTP/1.1\r\nHost: web\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'

/** A proxy before a backend that says something to each head, and then says back what it hears. */
async function startEchoAfter(answer: string) {
  const backend = await openRawBackend(connection => {
    void connection.requests().then(({ socket }) => {
      socket.write(answer)
      socket.write(connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4))
      socket.on('data', data => socket.write(data)).on('end', () => socket.end())
    })
  })
  onTestFinished(() => backend.close())
  const { port, naming } = await startTestProxy()
  for (const name of ['/svc/web', '/svc/web:80']) naming.route(name, '/#/web', [backend.endpoint])
  return { backend, port, naming }
}

it('what either side says early is not lost, and a client that breaks takes the upstream along', async () => {
  const { backend, port } = await startEchoAfter(`${switching}early`)
  let received = ''
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(`${upgrade}bird`))
  socket.on('data', data => (received += data.toString('latin1')))
  await expect.poll(() => received).toContain('\r\n\r\nearlybird')
  socket.resetAndDestroy()
  await (await backend.connection()).closed()
})

it('a tunnel outlives the replica that it leads to', async () => {
  const { port, naming } = await startEchoAfter(switching)
  let received = ''
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(upgrade))
  socket.on('data', data => (received += data.toString('latin1')))
  onTestFinished(() => void socket.destroy())
  await expect.poll(() => received).toContain('101')
  naming.route('/svc/web', '/#/web', [])
  expect((await send(port)).status).toBe(502)
  socket.write('still here')
  await expect.poll(() => received).toContain('still here')
})

it('an upstream that changes protocols before it has the whole request is not believed', async () => {
  const { port } = await startEchoAfter(switching)
  const text = await exchange(
    port,
    `${upgrade.replace('GET', 'POST').slice(0, -2)}Content-Length: 9\r\n\r\nbody`,
    '502',
  )
  expect(text).toMatch(/^HTTP\/1\.1 502 /)
})

it.each(['Content-Length: 5', 'Transfer-Encoding: chunked'])(
  'an answer to CONNECT has no body, though it says %s',
  async line => {
    const { port } = await startEchoAfter(`HTTP/1.1 200 OK\r\n${line}\r\n\r\nhello`)
    const text = await exchange(port, 'CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n, you', ', you')
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('hello, you')
    expect(text).not.toContain(line)
  },
)

/** What comes back until a text has come; then the client ends its side and waits for the other one. */
function exchange(port: number, text: string, until: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text))
    socket.on('data', data => {
      received += data.toString('latin1')
      if (received.includes(until)) socket.end()
    })
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}
