// Three servers, each a process of its own, on one store: what one answers for, all go by; who stands still is named and holds
// nothing up.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ReplicaClient } from '../e2e/replicas.fixture.ts'
import { tempDirectory } from '../storage/store.fixture.ts'
import { RealEtcd } from './etcd.fixture.ts'
import { type FleetServer, ServerFleet } from './storage/server-fleet.fixture.ts'

interface Backend {
  readonly storage: object
  close(): Promise<void>
}

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  etcd: async () => {
    const etcd = await RealEtcd.start()
    return { storage: { kind: 'etcd', endpoints: etcd.endpoints }, close: () => etcd[Symbol.asyncDispose]() }
  },
  sqlite: async () => {
    const { path, remove } = tempDirectory()
    return { storage: { kind: 'sqlite', path: join(path, 'nameplane.db') }, close: async () => remove() }
  },
}

describe.each(Object.entries(backends))('three servers on one %s', (_, start) => {
  let backend: Backend
  let fleet: ServerFleet
  let clients: readonly ReplicaClient[]

  beforeAll(async () => {
    backend = await start()
    fleet = await ServerFleet.start(3, () => backend.storage)
    clients = fleet.servers.map(({ url }) => new ReplicaClient(url))
    await Promise.all(clients.map(client => client.untilWhole(3)))
  })

  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await backend.close()
  })

  function clientAt(index: number): ReplicaClient {
    const client = clients[index % clients.length]
    if (client === undefined) throw new Error('no such server')
    return client
  }

  function serverAt(index: number): FleetServer {
    const server = fleet.servers[index]
    if (server === undefined) throw new Error('no such server')
    return server
  }

  const versions = (namespace: string): Promise<readonly number[]> =>
    Promise.all(clients.map(client => client.bindVersion(namespace)))

  it('all go by a write once wait=all is answered, whichever took it, in use or not', async () => {
    for (let n = 0; n < 15; n++) {
      const written = await clientAt(n).put('used', `/svc => /v${n}`, '?wait=all&timeout=60s')
      expect(written).toMatchObject({ version: n + 1, applied: true })
      expect(written.servers).toHaveLength(3)
      expect(await versions('used')).toEqual([n + 1, n + 1, n + 1])
      const unused = await clientAt(n).put(`unused-${n}`, '/svc => /x', '?wait=all&timeout=60s')
      expect(unused.applied).toBe(true)
    }
    // The one that was asked knows it of all with its answer; what the others know of each other is on its way.
    const know = await Promise.all(
      clients.map(client => client.until(({ servers }) => servers.every(({ namespaces }) => namespaces === 16))),
    )
    expect(know.map(({ disagreementCount }) => disagreementCount)).toEqual([0, 0, 0])
  })

  it('are answered for within the timeout when one of them stands still, which is named and comes back', async () => {
    await clientAt(0).put('frozen', '/svc => /v1', '?wait=all&timeout=60s')
    const names = (await clientAt(0).servers()).servers.map(({ id }) => id)
    serverAt(1).freeze()
    const first = await clientAt(0).put('frozen', '/svc => /v2', '?wait=all&timeout=500ms')
    expect(first.applied).toBe(false)
    const behind = first.servers?.filter(({ applied }) => !applied).map(({ id }) => id) ?? []
    expect(behind).toHaveLength(1)
    const silent = await clientAt(2).until(({ servers }) => servers.some(({ replies }) => !replies))
    expect(silent.servers.filter(({ replies }) => !replies).map(({ id }) => id)).toEqual(behind)
    const second = await clientAt(2).put('frozen', '/svc => /v3', '?wait=all&timeout=500ms')
    expect(second.servers?.find(({ id }) => id === behind[0])).toEqual({
      id: behind[0],
      replied: false,
      applied: false,
    })
    expect(second.servers?.filter(({ applied }) => applied)).toHaveLength(2)
    serverAt(1).resume()
    await Promise.all(clients.map(client => client.untilWhole(3)))
    const third = await clientAt(1).put('frozen', '/svc => /v4', '?wait=all&timeout=60s')
    expect([third.applied, third.servers?.map(({ id }) => id)]).toEqual([true, names])
    expect(await versions('frozen')).toEqual([4, 4, 4])
  })

  it('are two within twenty seconds when one is killed', { timeout: 20_000 }, async () => {
    await serverAt(1).kill()
    const left = await Promise.all([clientAt(0), clientAt(2)].map(client => client.untilWhole(2)))
    expect(left.map(({ servers }) => servers.map(({ id }) => id))).toEqual([
      left[0]?.servers.map(({ id }) => id),
      left[0]?.servers.map(({ id }) => id),
    ])
    expect(await clientAt(0).put('killed', '/svc => /x', '?wait=all&timeout=5s')).toMatchObject({ applied: true })
  })
})

/** A write is refused for as long as a server has not found its etcd again. */
async function eventuallyPut(client: ReplicaClient | undefined, namespace: string): ReturnType<ReplicaClient['put']> {
  for (;;) {
    const written = await client?.put(namespace, '/svc => /x', '?wait=all&timeout=60s').catch(() => undefined)
    if (written !== undefined) return written
  }
}

describe('three servers whose etcd goes away', () => {
  it('follow each other again after etcd was away', async () => {
    await using etcd = await RealEtcd.start()
    await using fleet = await ServerFleet.start(3, () => ({ kind: 'etcd', endpoints: etcd.endpoints }))
    const clients = fleet.urls.map(url => new ReplicaClient(url))
    await Promise.all(clients.map(client => client.untilWhole(3)))
    await etcd.server.kill()
    await etcd.server.start()
    const written = await eventuallyPut(clients[0], 'after')
    expect(written.applied).toBe(true)
    await Promise.all(clients.map(client => client.untilWhole(3)))
    expect(await Promise.all(clients.map(client => client.bindVersion('after')))).toEqual([
      written.version,
      written.version,
      written.version,
    ])
  })
})
