import { Client, credentials } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { neg } from '../../../naming/name-tree.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { RawStream, startServer, until } from './grpc-api.fixture.ts'

test('a Watch stream of an old connection is asked to move, opens another on a new connection, and is ended in the end', async () => {
  const clock = new SocketClock()
  const server = await startServer({ clock, maxConnectionAgeMs: 2_000, graceMs: 2_000, drainMs: 0 })
  const client = new Client(server.address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const first = new RawStream(server.address, client)
  server.interpreter.tree('default/svc/web').set(neg)
  first.subscribe(['default/svc/web'])
  await first.received(1)
  expect(server.api.connections()).toMatchObject({ connections: 1, busiest: [{ streams: 1, isLeaving: false }] })
  clock.advance(2_500)
  await until(() => first.moves.length > 0)
  expect(first.moves).toEqual([{ withinMs: 2_000, reason: 'This connection has been open for long enough.' }])
  expect(server.api.streams()).toEqual({ open: 1, leaving: 1 })
  const second = new RawStream(server.address, client)
  second.subscribe(['default/svc/web'])
  await second.received(1)
  expect(server.api.connections()).toMatchObject({ connections: 2, streams: { 'nameplane.v1.Naming': 2 } })
  expect(first.updates).toHaveLength(1)
  clock.advance(1_000)
  expect(server.api.streams().open).toBe(2)
  clock.advance(1_500)
  await expect(first.ended).resolves.toMatchObject({ code: 14 })
  await until(() => server.api.connections().connections === 1)
  expect(server.api.streams().open).toBe(1)
  second.close()
  await server.close()
})
