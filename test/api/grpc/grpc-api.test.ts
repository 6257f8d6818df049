import { once } from 'node:events'
import { createServer } from 'node:net'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { service as health } from 'grpc-health-check'
import protobuf from 'protobufjs/minimal.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eachField, readMessage } from '../../../proto/fields.ts'
import { namingService } from '../../../proto/naming-service.ts'
import { type ReceivedUpdate, readUpdate } from '../../../proto/updates.ts'
import { encodeResolveRequest } from '../../../proto/watch-requests.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { RawStream, shortForm, startServer, type TestServer, until } from './grpc-api.fixture.ts'

let server: TestServer
let client: Client

beforeEach(async () => {
  server = await startServer({ drainMs: 200 })
  client = new Client(server.address, credentials.createInsecure())
})

afterEach(async () => {
  client.close()
  await server.close()
})

describe('Resolve', () => {
  const resolve = async (name: string, waitMs: number): Promise<readonly string[]> => {
    const request = encodeResolveRequest({ name: { namespace: 'default', path: path(name), dtab: '' }, waitMs })
    const { path: method, requestSerialize, responseDeserialize } = namingService.Resolve
    const answer = await new Promise<Buffer>((done, refuse) =>
      client.makeUnaryRequest(method, requestSerialize, responseDeserialize, request, (error, value) =>
        value === undefined ? refuse(error) : done(value),
      ),
    )
    return decodeResolution(answer).map(shortForm)
  }

  test('answers at once with what is known', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a', '/#/fs/b'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    expect(await resolve('/svc/web', 0)).toEqual(['0 ok', '/#/fs/a ok', '/#/fs/b pending'])
    expect(await resolve('/svc/cold', 0)).toEqual(['0 pending'])
  })

  test('waits for what is pending when it is asked to', async () => {
    const answer = resolve('/svc/web', 20_000)
    await until(() => server.kernel.counts().watchers === 2)
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    await until(() => server.kernel.counts().evaluations === 2)
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    expect(await answer).toEqual(['0 ok', '/#/fs/a ok'])
  })

  test('refuses an invalid name with the status of its code', async () => {
    const request = encodeResolveRequest({ name: { namespace: '', path: path('/svc/web'), dtab: '' }, waitMs: 0 })
    const { path: method, requestSerialize, responseDeserialize } = namingService.Resolve
    const code = await new Promise(done =>
      client.makeUnaryRequest(method, requestSerialize, responseDeserialize, request, error => done(error?.code)),
    )
    expect(code).toBe(3)
  })
})

describe('the gRPC server', () => {
  test('reports its health as it is told', async () => {
    const check = (service: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const { path: method, requestSerialize, responseDeserialize } = health.Check ?? unknownMethod()
        client.makeUnaryRequest(method, requestSerialize, responseDeserialize, { service }, (error, value: unknown) =>
          error === null ? resolve(JSON.stringify(value)) : reject(error),
        )
      })
    expect(await check('')).toContain('NOT_SERVING')
    server.api.setServing(true)
    expect(await check('')).not.toContain('NOT_SERVING')
    expect(await check('nameplane.v1.Naming')).toContain('SERVING')
    await expect(check('no.such.Service')).rejects.toMatchObject({ code: 5 })
  })

  test('lists its services by reflection', async () => {
    const answer = await reflect(client, { list_services: '' })
    expect(answer).toContain('nameplane.v1.Naming')
    expect(answer).toContain('grpc.health.v1.Health')
    expect(await reflect(client, { file_containing_symbol: 'nameplane.v1.Naming' })).toContain('file_descriptor_proto')
  })

  test('says which port it got, and rejects one that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startServer({ port })).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+: the port is in use/)
    taken.close()
    expect(server.port).toBeGreaterThan(0)
  })

  test('ends its streams with UNAVAILABLE when it stops, and stops', async () => {
    const stream = new RawStream(server.address)
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    server.shutdown.abort()
    await expect(stream.ended).resolves.toMatchObject({ code: 14, details: 'The server is stopping.' })
    await server.close()
    await server.close()
    expect(server.kernel.counts().watchers).toBe(0)
    const late = new RawStream(server.address)
    await expect(late.ended).resolves.toMatchObject({ code: 14 })
    late.close()
    stream.close()
  })

  test('says that it serves no more before its streams end, and cuts off who goes on watching its health', async () => {
    await server.close()
    server = await startServer({ drainMs: 50 })
    server.api.setServing(true)
    client.close()
    client = new Client(server.address, credentials.createInsecure())
    const heard: string[] = []
    const watched = watchHealth(client)
    watched.on('data', ({ status }) => heard.push(`health ${status}`)).on('error', () => heard.push('health is cut'))
    const stream = new RawStream(server.address, client)
    void stream.ended.then(({ code }) => heard.push(`stream ends ${code}`))
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    server.shutdown.abort()
    server.api.setServing(true)
    await server.close()
    await until(() => heard.includes('health is cut'))
    expect(heard).toEqual(['health SERVING', 'health NOT_SERVING', 'stream ends 14', 'health is cut'])
  })

  test('cuts off a peer that does not go', async () => {
    const stream = new RawStream(server.address)
    const names = Array.from({ length: 4000 }, (_, i) => `default/${'n'.repeat(50)}/${i}`)
    for (const [i, name] of names.entries()) server.interpreter.tree(name).set(treeTo(`/#/fs/${'y'.repeat(200)}/${i}`))
    stream.subscribe(names)
    await stream.received(1)
    stream.pause()
    await server.close()
    expect(server.api.counts().streams).toBe(0)
    stream.close()
  })
})

function watchHealth(client: Client) {
  const { path: method, requestSerialize, responseDeserialize } = health.Watch ?? unknownMethod()
  return client.makeServerStreamRequest(method, requestSerialize, responseDeserialize, { service: '' })
}

function unknownMethod(): never {
  throw new Error('the health service has no Check')
}

/** A ResolveResponse's updates, the tree under key 0. */
function decodeResolution(bytes: Buffer): readonly ReceivedUpdate[] {
  const reader = protobuf.Reader.create(bytes)
  const updates: ReceivedUpdate[] = []
  eachField(reader, reader.len, () => {
    updates.push(readMessage(reader, readUpdate))
    return true
  })
  return updates
}

/** One request to server reflection; the answer as JSON text. */
async function reflect(client: Client, request: object): Promise<string> {
  const file = new URL(
    '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    import.meta.url,
  )
  const definition = loadSync(file.pathname, { keepCase: true })['grpc.reflection.v1.ServerReflection']
  if (definition === undefined || !('ServerReflectionInfo' in definition)) throw new Error('no reflection service')
  const { path: method, requestSerialize, responseDeserialize } = definition.ServerReflectionInfo
  const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize, new Metadata())
  stream.write(request)
  const [answer] = await once(stream, 'data')
  stream.end()
  return JSON.stringify(answer)
}
