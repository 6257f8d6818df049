// Large bodies through the whole proxy with readers that dawdle on either side: every byte arrives, in its place.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
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
