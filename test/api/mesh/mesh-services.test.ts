import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeBindReq, encodePath } from '../../../proto/mesh-messages.ts'
import { type MeshServer, startMesh } from './mesh.fixture.ts'

let server: MeshServer
let session: ClientHttp2Session

beforeEach(async () => {
  server = await startMesh({ maxStreamsPerConnection: 1 })
  session = connect(`http://${server.address}`)
})

afterEach(async () => {
  session.close()
  await server.close()
})

interface Answer {
  /** Whether the first headers were the end of it. */
  readonly endsWithItsHeaders: boolean
  readonly status: unknown
}

function open(method: string, message: Uint8Array): ClientHttp2Stream {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: `/io.linkerd.mesh.${method}`,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
  })
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]))
  return stream
}

/** What the server answers on the wire. */
function ask(method: string, message: Uint8Array): Promise<Answer> {
  const stream = open(method, message).resume()
  return new Promise((resolve, reject) => {
    stream.on('error', reject)
    stream.on('response', (headers, flags) => {
      const endsWithItsHeaders = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      if (endsWithItsHeaders) resolve({ endsWithItsHeaders, status: headers['grpc-status'] })
      stream.on('trailers', (trailers: IncomingHttpHeaders) =>
        resolve({ endsWithItsHeaders, status: trailers['grpc-status'] }),
      )
    })
  })
}

const circle = encodeBindReq({ root: ['default'], name: ['svc'], dtab: [] })

test('a refusal has its headers before its status, whoever refuses: a linkerd waits for ever for one that has not', async () => {
  await server.put('default', '/svc => /svc')
  const refused: readonly (readonly [method: string, message: Uint8Array, status: string])[] = [
    ['Interpreter/GetBoundTree', Buffer.alloc(0), '3'],
    ['Interpreter/StreamBoundTree', Buffer.alloc(0), '3'],
    ['Interpreter/StreamBoundTree', circle, '13'],
    ['Delegator/GetDtab', encodePath(['none']), '5'],
    ['Delegator/StreamDtab', encodePath(['none']), '5'],
    ['Delegator/GetDelegateTree', Buffer.alloc(0), '3'],
    ['Delegator/StreamDelegateTree', Buffer.alloc(0), '3'],
    ['Codec/ReadPath', Buffer.from('\n\x01x'), '3'],
  ]
  for (const [method, message, status] of refused)
    expect(await ask(method, message), method).toEqual({ endsWithItsHeaders: false, status })
  await once(open('Resolver/StreamReplicas', Buffer.alloc(0)), 'data')
  const oneTooMany = await ask('Resolver/StreamReplicas', encodePath(['#', 'test', 'web']))
  expect(oneTooMany).toEqual({ endsWithItsHeaders: false, status: '8' })
  server.shutdown.abort()
  const stopping = await ask('Interpreter/GetBoundTree', circle)
  expect(stopping).toEqual({ endsWithItsHeaders: false, status: '14' })
})
