// A port that several gRPC servers of this process listen on, each with a socket of its own, as threads do.
import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { createServer } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createGrpcServer, grpcServerDefaults } from '../../../api/grpc/grpc-server.ts'
import { SharedPort } from '../../../api/grpc/shared-port.ts'
import { listenOn } from '../../../runtime/admin-server.ts'

const opened: SharedPort[] = []
const clients: ClientHttp2Session[] = []

async function listen(port = 0, options = {}): Promise<number> {
  const shared = new SharedPort(createGrpcServer({ ...grpcServerDefaults, ...options }))
  opened.push(shared)
  return (await shared.listen({ host: '127.0.0.1', port })).port
}

async function connected(port: number): Promise<ClientHttp2Session> {
  const client = connect(`http://127.0.0.1:${port}`)
  clients.push(client)
  client.on('error', () => {}) // the goaway is what is looked at
  await once(client, 'remoteSettings')
  return client
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map(port => port.drain(0)))
  for (const client of clients.splice(0)) client.destroy()
})

it('is had by as many servers as want it, but not with one that does not share', async () => {
  const port = await listen()
  expect(await listen(port)).toBe(port)
  await expect(listenOn(createServer(), { host: '127.0.0.1', port }, 'another')).rejects.toThrow(/in use/)
})

it('says in one sentence that ports cannot be shared where they cannot', async () => {
  const refusing = createServer()
  refusing.listen = () => {
    queueMicrotask(() => refusing.emit('error', Object.assign(new Error('listen ENOTSUP'), { code: 'ENOTSUP' })))
    return refusing
  }
  await expect(listenOn(refusing, { host: '::1', port: 1, reusePort: true }, 'gRPC')).rejects.toThrow(
    'gRPC: cannot listen on ::1:1: a port cannot be shared on this system; configure no workers',
  )
})

it('closes a connection that cancels more streams than the limit of the server, and no other', async () => {
  const port = await listen(0, { streamResetBurst: 20, streamResetRate: 1 })
  const [hasty, calm] = [await connected(port), await connected(port)]
  const goneAway = once(hasty, 'goaway')
  for (let sent = 0; sent < 40; sent++) {
    const request = hasty.request({ ':method': 'POST', ':path': '/no.Such/Method' })
    request.on('error', () => {}) // it is cancelled
    request.close(constants.NGHTTP2_CANCEL)
  }
  const [code] = await goneAway
  expect([code, calm.closed]).toEqual([constants.NGHTTP2_INTERNAL_ERROR, false])
})

it('accepts nobody and sends its peers away when it is drained', async () => {
  const port = await listen()
  const client = await connected(port)
  const [server] = opened
  const goneAway = once(client, 'goaway')
  const drained = server?.drain(1)
  expect((await goneAway)[0]).toBe(constants.NGHTTP2_NO_ERROR)
  await drained
  await expect(connected(port)).rejects.toThrow('ECONNREFUSED')
})
