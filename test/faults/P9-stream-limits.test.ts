// P9: A limit of streams per connection that nobody knows of caps the watches of a proxy without a word.

import { once } from 'node:events'
import { connect } from 'node:http2'
import { Client, credentials } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { grpcServerDefaults } from '../../api/grpc/grpc-server.ts'
import { neg } from '../../naming/name-tree.ts'
import { RawStream, startServer, type TestServer } from '../api/grpc/grpc-api.fixture.ts'

const limit = 20

let server: TestServer

afterEach(() => server.close())

describe('P9: the streams of one connection', () => {
  test('may be 10,000, and clients are told of no number below that when they connect', async () => {
    expect(grpcServerDefaults.maxStreamsPerConnection).toBe(10_000)
    server = await startServer()
    const session = connect(`http://${server.address}`)
    const [settings] = await once(session, 'remoteSettings')
    expect(settings).toMatchObject({ maxConcurrentStreams: 11_000 })
    session.destroy()
  })

  test('are as many as the limit says; one more is refused with a word, and accepted when another has ended', async () => {
    server = await startServer({ maxStreamsPerConnection: limit, drainMs: 0 })
    const { address, api, metrics, interpreter } = server
    interpreter.tree('default/svc/web').set(neg)
    const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
    const streams = Array.from({ length: limit }, () => new RawStream(address, client))
    for (const stream of streams) stream.subscribe(['default/svc/web'])
    await Promise.all(streams.map(stream => stream.received(1)))
    const details = 'This connection has 20 streams open, which is its limit.'
    await expect(new RawStream(address, client).ended).resolves.toMatchObject({ code: 8, details })
    const neighbour = new RawStream(address)
    neighbour.subscribe(['default/svc/web'])
    await neighbour.received(1)
    expect(api.connections()).toMatchObject({ connections: 2, highestStreams: limit, streamsLimit: limit })
    const { body } = await metrics.expose()
    for (const line of ['connection_streams_highest 20', 'connection_streams_limit 20', 'streams_refused_total 1'])
      expect(body).toContain(`nameplane_grpc_${line}\n`)
    for (const stream of streams.slice(10)) stream.cancel()
    const later = Array.from({ length: 10 }, () => new RawStream(address, client))
    for (const stream of later) stream.subscribe(['default/svc/web'])
    await Promise.all(later.map(stream => stream.received(1)))
    client.close()
    for (const stream of [...streams, ...later, neighbour]) stream.close()
  })
})
