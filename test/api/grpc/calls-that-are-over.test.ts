// Calls whose end and whose requests cross, by a client that does with HTTP/2 what gRPC libraries seldom do.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WatchRequestWriter } from '../../../proto/watch-requests.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

let server: TestServer
let client: ClientHttp2Session

beforeEach(async () => {
  server = await startServer()
  client = connect(`http://${server.address}`, { settings: { initialWindowSize: 1 } })
})

afterEach(async () => {
  client.destroy()
  await server.close()
})

function open(method: string): ClientHttp2Stream {
  const path = `/nameplane.v1.Naming/${method}`
  const stream = client.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  return stream.on('error', () => {})
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

async function gauge(name: string): Promise<number> {
  const { body } = await server.metrics.expose()
  const line = body.split('\n').find(each => each.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

/** The server has read all that was sent before. */
const crossing = (): Promise<void> => new Promise(resolve => client.ping(() => resolve()))

test('a Watch stream that has ended, but for what its client has not read, admits nobody for what is asked on it', async () => {
  const stream = open('Watch').pause()
  const requests = new WatchRequestWriter()
  requests.add({ kind: 'client', id: 'proxy-1', version: '' })
  stream.write(framed(requests.finish()))
  await until(() => server.proxies.pageNow({ limit: 1 }).proxies[0]?.id === 'proxy-1')
  open('Watch')
  await until(() => server.api.streams().open === 2)
  // The first of the two is asked to move, and has no room for the question.
  server.api.shed(1)
  while ((await gauge('nameplane_push_unsent_bytes')) === 0) await crossing()
  server.shutdown.abort()
  await until(() => server.api.counts().streams === 0)
  const name = { namespace: 'default', path: ['svc', 'web'], dtab: '' }
  requests.add({ kind: 'subscribe', key: 1, name, hash: '' })
  stream.write(framed(requests.finish()))
  for (let pings = 0; pings < 5; pings++) await crossing()
  expect(await gauge('nameplane_push_admitted_names')).toBe(0)
  expect(server.kernel.counts().watchers).toBe(0)
})
