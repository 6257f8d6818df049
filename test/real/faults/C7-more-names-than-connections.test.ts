// C7: an agent takes 200 connections of one address, and 500 names are observed. Each has its turn.
import { describe, expect, it } from 'vitest'
import { sizeOf, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'

const names = Array.from({ length: 500 }, (_, n) => `web-${n}`)

describe('C7: 500 observed names on an agent with its own limit of 200 connections', () => {
  it('are all known, see each change, and none waits 5 s for it', async () => {
    await using consul = await RealConsul.start()
    await Promise.all(names.map(name => consul.api.register({ name, port: 8000 })))
    await using server = await WatchedServer.start(consul.namer())
    const watched = names.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
    await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 1)))
    await eventually('a gauge that shows the queue', async () => (await server.metric('consul_watches_waiting')) > 0)
    await Promise.all(
      watched.map(async ({ name, replicas }) => {
        await consul.api.register({ name, id: `${name}-second`, port: 8001 })
        await replicas.until(state => sizeOf(state) === 2, 5_000)
      }),
    )
    expect(await server.metric('source_degraded')).toBe(0)
  })
})
