// Which ends of an HTTP/2 stream are the end of an answer. The server writes its frames itself: Node's would round them off.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { readBody } from '../../../clients/kubernetes/answer.ts'
import { Http2Session } from '../../../clients/kubernetes/http2-session.ts'
import { tlsTarget } from '../../../clients/kubernetes/target.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { fakeApiCertificate, fakeApiKey } from '../../fakes/kubernetes-api.fake.ts'

const types = { data: 0, headers: 1, reset: 3, settings: 4 } as const
const endStream = 1
const ack = 1
const endHeaders = 4
/** `:status: 200` of the static table. */
const status200 = Buffer.from([0x88])
const cancel = Buffer.from([0, 0, 0, 8])

function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** The body of an answer that ends as `end` does. */
async function answerEndingBy(end: (socket: TLSSocket) => void): Promise<string> {
  const server = createServer({ cert: fakeApiCertificate, key: fakeApiKey, ALPNProtocols: ['h2'] }, socket => {
    socket.write(Buffer.concat([frame(types.settings, 0, 0), frame(types.settings, ack, 0)]))
    socket.on('error', () => {})
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (!received.includes(frame(types.headers, endStream | endHeaders, 1).subarray(3))) return
      received = Buffer.alloc(0)
      socket.write(frame(types.headers, endHeaders, 1, status200))
      socket.write(frame(types.data, 0, 1, Buffer.from('half')))
      end(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca: fakeApiCertificate,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
  })
  await once(socket, 'secureConnect')
  const target = tlsTarget(new URL(`https://localhost:${port}`), {}, { ca: Buffer.from(fakeApiCertificate) })
  const session = await Http2Session.open(socket, target, new FakeClock(), () => {})
  try {
    const exchange = await session.request(target, { path: '/' }, new AbortController().signal)
    return String(await readBody(exchange, 1_000, () => {}))
  } finally {
    session.close()
    server.close()
  }
}

describe('an answer over HTTP/2', () => {
  it('is whole when its stream says so', async () => {
    expect(await answerEndingBy(socket => socket.write(frame(types.data, endStream, 1)))).toBe('half')
  })

  it('is broken off when its connection is closed', async () => {
    await expect(answerEndingBy(socket => socket.end())).rejects.toThrow('closed before the answer ended')
  })

  it('is broken off when its stream is cancelled', async () => {
    const reset = frame(types.reset, 0, 1, cancel)
    await expect(answerEndingBy(socket => socket.write(reset))).rejects.toThrow('closed before the answer ended')
  })
})
