// Large bodies through the whole proxy with readers that dawdle on either side: every byte arrives, in its place.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openRawBackend } from './pool/raw-backend.fixture.ts'
import { startTestProxy, startUpstream } from './proxy.fixture.ts'
import { seededRandom } from './seeded-random.fixture.ts'

const size = 1.25 * 1024 * 1024 + 5
const random = seededRandom(23)
const payload = Buffer.alloc(size)
for (let i = 0; i + 4 <= size; i += 4) payload.writeUInt32LE(Math.floor(random() * 2 ** 32), i)
const sum = sumOf(payload)

function sumOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex')
}

async function proxyBefore(upstreamPort: number): Promise<number> {
  const { port, naming } = await startTestProxy()
  naming.route('/svc/web', '/#/web', [{ address: '127.0.0.1', port: upstreamPort, weight: 1 }])
  return port
}

/** Stands still for some turns of the event loop after many of its reads. */
function dawdle(socket: Socket): void {
  socket.on('data', () => {
    if (random() < 0.6) return
    socket.pause()
    const wait = (turns: number): void => void (turns === 0 ? socket.resume() : setImmediate(wait, turns - 1))
    wait(Math.floor(random() * 20))
  })
}

describe('bodies of responses', () => {
  it.each(['by length', 'in chunks'])('%s reach clients that dawdle, and others beside them', async framing => {
    const upstream = await startUpstream((_, response) => {
      if (framing === 'by length') response.setHeader('content-length', size)
      response.end(payload)
    })
    const port = await proxyBefore(upstream.port)
    const get = (isSlow: boolean): Promise<string> =>
      new Promise((resolve, reject) => {
        const parts: Buffer[] = []
        const socket = connect({ port, host: '127.0.0.1' })
        // HTTP/1.0: the body is delimited by its end.
        socket.write('GET / HTTP/1.0\r\nHost: web\r\n\r\n')
        if (isSlow) dawdle(socket)
        socket.on('data', (part: Buffer) => parts.push(part)).on('error', reject)
        socket.on('close', () => {
          const all = Buffer.concat(parts)
          resolve(sumOf(all.subarray(all.indexOf('\r\n\r\n') + 4)))
        })
      })
    const rounds = async (isSlow: boolean): Promise<string[]> => [await get(isSlow), await get(isSlow)]
    const sums = await Promise.all([rounds(true), rounds(true), rounds(false)])
    expect(new Set(sums.flat())).toEqual(new Set([sum]))
  })
})

/** Bytes that the system takes for a client that does not read. */
async function systemTakes(): Promise<number> {
  const accepted: Socket[] = []
  const server = createTcpServer(socket => accepted.push(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server has no other kind
  const client = connect({ port, host: '127.0.0.1' }).pause()
  await new Promise(resolve => server.once('connection', resolve))
  const [socket] = accepted
  while (socket?.writableLength === 0) socket.write(Buffer.alloc(64 * 1024))
  const taken = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0)
  socket?.destroy()
  client.destroy()
  server.close()
  return taken
}

it('the end of a body that waits for its client is not written over by what comes for others', async () => {
  const taken = await systemTakes()
  let asked = 0
  const backend = await openRawBackend(({ socket }) => {
    socket.on('data', (chunk: Buffer) => {
      asked++
      const [, letter = '', bytes = ''] = /^GET \/(.)(\d+) /.exec(chunk.toString('latin1')) ?? []
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`)
      socket.write(Buffer.alloc(Number(bytes), letter))
    })
  })
  onTestFinished(() => backend.close())
  const port = await proxyBefore(backend.endpoint.port)
  const get = (letter: string, bytes: number): { readonly socket: Socket; readonly isOwn: Promise<boolean> } => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`GET /${letter}${bytes} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n`)
    const isOwn = new Promise<boolean>((resolve, reject) => {
      const parts: Buffer[] = []
      socket.on('data', (part: Buffer) => parts.push(part)).on('error', reject)
      socket.on('end', () => {
        const all = Buffer.concat(parts)
        resolve(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(Buffer.alloc(bytes, letter)))
      })
    })
    return { socket, isOwn }
  }
  // Of some of them the system takes all but the last slices.
  const slow = [1, 2, 3, 4, 5, 6].map(n => get('s', taken + n * 50_000))
  for (const { socket } of slow) socket.pause()
  await expect
    .poll(() => asked === 6 && backend.connections.every(({ socket }) => socket.writableLength === 0))
    .toBe(true)
  await expect(get('f', 4_000_000).isOwn).resolves.toBe(true)
  for (const { socket } of slow) socket.resume()
  expect(await Promise.all(slow.map(({ isOwn }) => isOwn))).toEqual(slow.map(() => true))
})

describe('bodies of requests', () => {
  it.each([size, undefined])('of length %s reach an upstream that dawdles', async length => {
    const server = createServer((message, response) => {
      const parts: Buffer[] = []
      message.on('data', part => parts.push(part))
      message.on('end', () => response.end(sumOf(Buffer.concat(parts))))
    })
    server.on('connection', dawdle)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port: upstreamPort } = server.address() as AddressInfo // a TCP server has no other kind
    const port = await proxyBefore(upstreamPort)
    const body = length === undefined ? Readable.from([payload.subarray(0, 70_000), payload.subarray(70_000)]) : payload
    const put = async (): Promise<string> => {
      const headers = { Host: 'web' }
      const answer = await request(`http://127.0.0.1:${port}/`, { method: 'PUT', headers, body })
      return answer.body.text()
    }
    expect(await put()).toBe(sum)
  })
})

describe('an upload of 10 MB', () => {
  const head = `PUT / HTTP/1.1\r\nHost: web\r\nContent-Length: ${10 * 1024 * 1024}\r\n`
  const refusal = 'HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno'

  it('that is refused while its client waits to be told to go on is never sent', async () => {
    const backend = await openRawBackend(connection => void connection.requests().then(() => connection.end(refusal)))
    onTestFinished(() => backend.close())
    const port = await proxyBefore(backend.endpoint.port)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`${head}Expect: 100-continue\r\n\r\n`)
    const text = await textOf(socket)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text.endsWith('\r\n\r\nno')).toBe(true)
    expect(backend.connections[0]?.received).toContain('Expect: 100-continue\r\n')
    expect(backend.connections[0]?.received.endsWith('\r\n\r\n')).toBe(true)
  })

  it('that is refused while it is under way is answered, not sent to its end', async () => {
    const backend = await openRawBackend(connection => void connection.requests().then(() => connection.end(refusal)))
    onTestFinished(() => backend.close())
    const port = await proxyBefore(backend.endpoint.port)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(`${head}\r\n`)
    const slice = Buffer.alloc(64 * 1024, 'x')
    const feed = (): void => {
      while (!socket.destroyed && socket.writable && socket.write(slice));
    }
    socket.on('drain', feed)
    feed()
    const text = await textOf(socket)
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(backend.connections[0]?.received.length).toBeLessThan(10 * 1024 * 1024)
  })

  it('goes on when the upstream says so', async () => {
    const backend = await openRawBackend(connection => {
      void connection
        .requests()
        .then(() => connection.send('HTTP/1.1 100 Continue\r\n\r\n'))
        .then(() => connection.until(({ received }) => received.endsWith('the end')))
        .then(() => connection.end('HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'))
    })
    onTestFinished(() => backend.close())
    const port = await proxyBefore(backend.endpoint.port)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(
      'PUT / HTTP/1.1\r\nHost: web\r\nConnection: close\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n',
    )
    socket.once('data', () => socket.write('the end'))
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  })
})

/** All that comes until the other side ends. */
function textOf(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    socket.on('data', data => (text += data.toString('latin1')))
    socket.on('end', () => socket.destroy())
    // A connection that is closed while we send is reset; what came before counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}
