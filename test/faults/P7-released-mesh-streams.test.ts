// P7: a stream that is over leaves nothing behind, wherever in its life it ends.
import { expect, it } from 'vitest'
import { until } from '../api/grpc/grpc-api.fixture.ts'
import { MeshClient, type StreamProbe, startMesh, wirePath } from '../api/mesh/mesh.fixture.ts'
import { endpoints } from '../fakes/interpreter.fake.ts'

const root = wirePath('/default')

it('P7: streams that are opened and cancelled at any point hold no watch, no place and no count', async () => {
  const server = await startMesh()
  await server.put('default', '/svc => /#/test')
  server.namer.exists('web').set(true)
  server.namer.endpoints('web').set(endpoints('127.0.0.1:80'))
  const client = new MeshClient(server.address)
  const open: readonly (() => StreamProbe)[] = [
    () => client.stream('Interpreter/StreamBoundTree', { root, name: wirePath('/svc/web') }),
    () => client.stream('Interpreter/StreamBoundTree', { root, name: wirePath('/svc/unknown') }),
    () => client.stream('Resolver/StreamReplicas', { id: wirePath('/#/test/web') }),
    () => client.stream('Delegator/StreamDtab', { root }),
  ]
  // grpc-js forgets to tell of a cancel that comes before it is connected.
  const first = open.map(begin => begin())
  await Promise.all(first.map(stream => stream.opened()))
  for (const stream of first) stream.cancel()
  for (let round = 0; round < 30; round++) {
    const streams = open.map(begin => begin())
    if (round % 3 > 0) await Promise.all(streams.map(stream => stream.opened()))
    else await new Promise(resolve => setImmediate(resolve))
    if (round % 3 > 1) server.namer.endpoints('web').set(endpoints(`127.0.0.1:${round}`))
    for (const stream of streams) stream.cancel()
  }
  await until(() => server.api.connections().highestStreams === 0)
  // A namespace stays compiled for a while after its last name.
  await until(() => server.kernel.counts().watchers === 1)
  const [proxy] = server.proxies.pageNow({ limit: 1 }).proxies
  expect(proxy).toMatchObject({ streams: 0, namespaces: [] })
  expect((await server.metrics.expose()).body).toContain('nameplane_subscriptions{scope="server"} 0')
  client.close()
  await until(() => server.proxies.size === 0)
  await server.close()
})
