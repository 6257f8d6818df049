// C7: an agent takes so many connections of one address, and more names than that are observed. Each has its turn.
import { describe, expect, it } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { sizeOf, type Watched, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'

interface Name {
  readonly name: string
  readonly replicas: Watched<ReplicaSet>
}

/** Watches so many names, each registered once; resolves when all are known. */
async function watchAll(count: number, consul: RealConsul, server: WatchedServer): Promise<readonly Name[]> {
  const names = Array.from({ length: count }, (_, n) => `web-${n}`)
  await Promise.all(names.map(name => consul.api.register({ name, port: 8000 })))
  const watched = names.map(name => ({ name, replicas: server.replicas(`/#/io.l5d.consul/dc1/${name}`) }))
  await Promise.all(watched.map(({ replicas }) => replicas.until(state => sizeOf(state) === 1)))
  return watched
}

/** Registers a second instance of each; resolves when all are seen, and rejects when one is not within the limit. */
async function changeAll(watched: readonly Name[], consul: RealConsul, limitMs: number): Promise<void> {
  await Promise.all(
    watched.map(async ({ name, replicas }) => {
      await consul.api.register({ name, id: `${name}-second`, port: 8001 })
      await replicas.until(state => sizeOf(state) === 2, limitMs)
    }),
  )
}

describe('C7: more observed names than the agent takes connections', () => {
  it('500 on its own limit of 200: all are known, see each change within 5 s, and no connection is refused', async () => {
    await using consul = await RealConsul.start()
    await using server = await WatchedServer.start(consul.namer())
    const watched = await watchAll(500, consul, server)
    await eventually('a gauge that shows the queue', async () => (await server.metric('consul_watches_waiting')) > 0)
    await changeAll(watched, consul, 5_000)
    expect(await server.metric('consul_connections_limit')).toBe(180)
    expect(await server.metric('source_degraded')).toBe(0)
  })

  it('200 on a limit of 50 that nobody told us: it is learnt, and all see each change', async () => {
    await using consul = await RealConsul.start({ connectionsPerClient: 50 })
    await using server = await WatchedServer.start(consul.namer())
    const watched = await watchAll(200, consul, server)
    await changeAll(watched, consul, 30_000)
    expect(await server.metric('consul_connections_limit')).toBeLessThanOrEqual(50)
    expect(await server.metric('namer_consul_errors_total')).toBeLessThan(2 * watched.length)
    await eventually('a gauge that is well', async () => (await server.metric('source_degraded')) === 0)
  })
})
