import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { endpoints } from '../../fakes/interpreter.fake.ts'
import { until } from '../grpc/grpc-api.fixture.ts'
import { MeshClient, type MeshServer, startMesh, wirePath } from './mesh.fixture.ts'

let server: MeshServer
let client: MeshClient

beforeEach(async () => {
  server = await startMesh()
  client = new MeshClient(server.address)
})

afterEach(async () => {
  client.close()
  await server.close()
})

const web = { id: wirePath('/#/test/web') }

function boundTo(...lastBytes: readonly number[]): object {
  const at = (byte: number): object => ({
    inet_af: 'INET4',
    address: `\x7f\0\0${String.fromCharCode(byte)}`,
    port: 80,
    meta: {},
  })
  return { bound: lastBytes.length === 0 ? {} : { endpoints: lastBytes.map(at) } }
}

describe('GetReplicas', () => {
  test('answers what is known now, pending too, and is ready for who asks again', async () => {
    expect(await client.ask('Resolver/GetReplicas', web)).toEqual({ pending: {} })
    server.namer.endpoints('web').set(endpoints('127.0.0.1:80', '127.0.0.2:80'))
    expect(await client.ask('Resolver/GetReplicas', web)).toEqual(boundTo(1, 2))
    const transformed = { id: wirePath('/%/io.l5d.port/80/#/test/web') }
    expect(await client.ask('Resolver/GetReplicas', transformed)).toEqual(boundTo(1, 2))
  })

  test('and StreamReplicas answer for ids that no backend is asked for', async () => {
    const cases: readonly (readonly [request: object, answer: object])[] = [
      [{}, { failed: { message: 'No ID provided' } }],
      [{ id: {} }, { failed: { message: 'No ID provided' } }],
      [{ id: wirePath('/svc/web') }, { neg: {} }],
      [{ id: wirePath('/$/nil') }, boundTo()],
      [{ id: wirePath('/$/fail') }, { failed: { message: '/$/fail refuses by design' } }],
      [{ id: wirePath('/$/inet/127.0.0.3/80') }, boundTo(3)],
    ]
    for (const [request, expected] of cases) {
      const stream = client.stream('Resolver/StreamReplicas', request)
      expect(await stream.received(1)).toEqual([expected])
      expect(await client.ask('Resolver/GetReplicas', request)).toEqual(expected)
      stream.cancel()
    }
  })

  test('tells why a backend has no answer', async () => {
    server.namer.endpoints('web').fail(new NamingError('namer-unavailable', 'test is away'))
    expect(await client.ask('Resolver/GetReplicas', web)).toEqual({ failed: { message: 'test is away' } })
  })
})

describe('StreamReplicas', () => {
  test('sends the set when it is known, and each other set', async () => {
    const stream = client.stream('Resolver/StreamReplicas', web)
    await stream.opened()
    server.namer.endpoints('web').set(endpoints('127.0.0.1:80'))
    await stream.received(1)
    server.namer.endpoints('web').set(endpoints())
    await stream.received(2)
    server.namer.endpoints('web').set({ kind: 'neg' })
    expect(await stream.received(3)).toEqual([boundTo(1), boundTo(), { neg: {} }])
    stream.cancel()
    await until(() => server.kernel.counts().watchers === 0)
  })

  test('says nothing of a backend that fails, before it was known or after', async () => {
    server.namer.endpoints('web').fail(new NamingError('namer-unavailable', 'test is away'))
    const stream = client.stream('Resolver/StreamReplicas', web)
    await stream.opened()
    server.namer.endpoints('web').set(endpoints('127.0.0.1:80'))
    await stream.received(1)
    server.namer.endpoints('web').fail(new NamingError('namer-unavailable', 'test is away'))
    server.namer.endpoints('web').set(endpoints('127.0.0.2:80'))
    expect(await stream.received(2)).toEqual([boundTo(1), boundTo(2)])
    stream.cancel()
  })
})
