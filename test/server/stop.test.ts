// A server that stops: everyone who is connected hears of it, and nobody can hold it up for longer than its grace.
import { Client, credentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { protoPath } from 'grpc-health-check'
import { expect, it } from 'vitest'
import { parseConfig } from '../../runtime/config.ts'
import { silentLog } from '../../runtime/log.ts'
import { loadServerPlan, startServer } from '../../server/compose.ts'
import { RawStream } from '../api/grpc/grpc-api.fixture.ts'

const config = `
admin: { port: 0, shutdownGraceMs: 400 }
storage: { kind: memory }
interfaces: [{ kind: io.l5d.httpController, port: 0 }, { kind: io.l5d.mesh, port: 0 }]
`

it('ends 100 Watch streams and the watches of its HTTP API, and cuts off who goes on watching its health', async () => {
  const server = await startServer(await loadServerPlan(parseConfig(config, 'test')), { log: silentLog })
  const [http, grpc] = ['http', 'grpc'].map(api => server.listening.find(each => each.api === api)?.port)
  const clients = Array.from({ length: 10 }, () => new Client(`127.0.0.1:${grpc}`, credentials.createInsecure()))
  const streams = clients.flatMap(client =>
    Array.from({ length: 10 }, () => new RawStream(`127.0.0.1:${grpc}`, client)),
  )
  for (const stream of streams) stream.subscribe(['default/svc/web'])
  await Promise.all(streams.map(stream => stream.received(1)))
  const watch = await fetch(`http://127.0.0.1:${http}/api/bind/default?path=/svc/web&watch=true`)
  const reader = watch.body?.getReader()
  await reader?.read()
  const healthIsCut = watchHealth(clients[0])

  await server.close()

  const codes = await Promise.all(streams.map(async stream => (await stream.ended).code))
  expect(new Set(codes)).toEqual(new Set([14]))
  expect((await reader?.read())?.done).toBe(true)
  await healthIsCut
  for (const client of clients) client.close()
})

/** Resolves when the stream of health has ended; the watching client asks for nothing else. */
function watchHealth(client: Client | undefined): Promise<unknown> {
  const definition = loadSync(protoPath)['grpc.health.v1.Health']
  if (client === undefined || definition === undefined || !('Watch' in definition)) throw new Error('no health service')
  const { path, requestSerialize, responseDeserialize } = definition.Watch
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' })
  stream.on('data', () => {})
  return new Promise(resolve => stream.on('error', resolve))
}
