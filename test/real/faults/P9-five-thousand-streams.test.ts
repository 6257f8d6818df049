// P9 and P8 in full: 5,000 streams on one connection, one more, and 10,000 that are cancelled within about a second beside them.
import { Client, credentials } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { neg } from '../../../naming/name-tree.ts'
import { RawStream, startServer, until } from '../../api/grpc/grpc-api.fixture.ts'
import { treeTo } from '../../fakes/interpreter.fake.ts'

const limit = 5_000
const cancelled = 10_000

it('P9: all streams that a connection may have are served, the next is told the limit; P8: a storm of cancels harms none', async () => {
  const server = await startServer({ maxStreamsPerConnection: limit, drainMs: 0 })
  const tree = server.interpreter.tree('default/svc/web')
  tree.set(neg)
  const client = new Client(server.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const open = (): RawStream => new RawStream(server.address, client)
  const streams = Array.from({ length: limit }, open)
  for (const stream of streams) stream.subscribe(['default/svc/web'])
  await Promise.all(streams.map(stream => stream.received(1)))
  const details = 'This connection has 5000 streams open, which is its limit.'
  await expect(open().ended).resolves.toMatchObject({ code: 8, details })
  const { connections, highestStreams } = server.api.connections()
  expect({ connections, highestStreams }).toEqual({ connections: 1, highestStreams: limit })

  const [gone, staying] = [streams.slice(0, 1_000), streams.slice(1_000)]
  for (const stream of gone) stream.cancel()
  await until(() => server.api.streams().open === staying.length)
  for (let done = 0; done < cancelled; done += 500) {
    const storm = Array.from({ length: 500 }, open)
    await Promise.all(storm.map(stream => stream.opened()))
    for (const stream of storm) stream.cancel()
  }
  tree.set(treeTo('/#/test/a'))
  await Promise.all(staying.map(stream => stream.received(3)))
  await until(() => server.api.streams().open === staying.length)
  expect(server.api.connections().connections).toBe(1)
  for (const stream of staying) stream.cancel()
  await until(() => server.kernel.counts().watchers === 0)
  client.close()
  await server.close()
}, 120_000)
