// P8: Node ends a connection whose peer cancels very many streams quickly, with all other streams that are on it.
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { afterEach, describe, expect, test } from 'vitest'
import { neg } from '../../naming/name-tree.ts'
import { WatchRequestWriter } from '../../proto/watch-requests.ts'
import { startServer, type TestServer, type TestServerOptions, until } from '../api/grpc/grpc-api.fixture.ts'
import { path } from '../fakes/interpreter.fake.ts'

/** More than the 1,000 that Node takes for an attack where nobody says otherwise. */
const cancels = 1_100

let server: TestServer
let session: ClientHttp2Session

async function open(options: TestServerOptions): Promise<void> {
  server = await startServer({ drainMs: 0, ...options })
  session = connect(`http://${server.address}`)
  session.on('error', () => {}) // seen by its being destroyed
  await once(session, 'remoteSettings')
}

function watch(): ClientHttp2Stream {
  const headers = { 'content-type': 'application/grpc', te: 'trailers' }
  const stream = session.request({ ':method': 'POST', ':path': '/nameplane.v1.Naming/Watch', ...headers })
  return stream.on('error', () => {}) // it is cancelled, or its connection is
}

function subscription(): Buffer {
  const name = { namespace: 'default', path: path('/svc/web'), dtab: '' }
  const writer = new WatchRequestWriter()
  writer.add({ kind: 'subscribe', key: 1, name, hash: '' })
  const message = writer.finish()
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

afterEach(async () => {
  session.destroy()
  await server.close()
})

describe.each([
  ['of a port of its own', { isShared: false }],
  ['that was handed over', { isShared: true }],
])('P8: on a connection %s', (_, options) => {
  test('very many streams that are cancelled at once harm no other stream', async () => {
    await open(options)
    const steady = watch()
    await once(steady, 'response')
    for (let i = 0; i < cancels; i++) watch().close(constants.NGHTTP2_CANCEL)
    server.interpreter.tree('default/svc/web').set(neg)
    steady.write(subscription())
    await once(steady, 'data')
    await until(() => server.api.streams().open === 1)
    expect(server.api.connections()).toMatchObject({ connections: 1, highestStreams: 1 })
  })

  test('it is the limits set here that allow it: with low ones the connection ends', async () => {
    await open({ ...options, streamResetBurst: 10, streamResetRate: 1 })
    for (let i = 0; i < 100; i++) watch().close(constants.NGHTTP2_CANCEL)
    await until(() => session.destroyed)
    await until(() => server.api.connections().connections === 0)
  })
})
