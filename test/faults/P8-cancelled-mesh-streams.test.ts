// P8: a proxy that loses many clients cancels very many streams at once, some in the very packet that opens them. The others
// of its connection notice nothing.
import { once } from 'node:events'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { expect, it } from 'vitest'
import { encodePath } from '../../proto/mesh-messages.ts'
import { until } from '../api/grpc/grpc-api.fixture.ts'
import { startMesh } from '../api/mesh/mesh.fixture.ts'
import { endpoints, path } from '../fakes/interpreter.fake.ts'

const request = encodePath(path('/#/test/web'))
const frame = Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request])

function follow(session: ClientHttp2Session) {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/io.linkerd.mesh.Resolver/StreamReplicas',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.on('error', () => {})
  stream.end(frame)
  return stream
}

it('P8: hundreds of streams cancelled in a row harm no other stream of the connection, and leave nothing', async () => {
  const server = await startMesh()
  const session = connect(`http://${server.address}`)
  const change = (address: string): void => server.namer.endpoints('web').set(endpoints(address))
  change('127.0.0.1:80')
  const steady = follow(session)
  await once(steady, 'data')
  for (let i = 0; i < 300; i++) follow(session).close(constants.NGHTTP2_CANCEL)
  change('127.0.0.2:80')
  await once(steady, 'data')
  const known = Array.from({ length: 100 }, () => follow(session))
  await Promise.all(known.map(stream => once(stream, 'data')))
  for (const stream of known) stream.close(constants.NGHTTP2_CANCEL)
  await until(() => server.api.connections().highestStreams === 1)
  change('127.0.0.3:80')
  await once(steady, 'data')
  expect(server.api.connections().connections).toBe(1)
  steady.close(constants.NGHTTP2_CANCEL)
  await until(() => server.kernel.counts().watchers === 0)
  session.destroy()
  await server.close()
})
