// Three server processes on one store and Watch clients in others: what is shown of a proxy is what it holds, a proxy that
// stands still is named, and the proxies of a server that is killed are found at the others.
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ReplicaClient } from '../e2e/replicas.fixture.ts'
import { tempDirectory } from '../storage/store.fixture.ts'
import { ServerFleet } from './storage/server-fleet.fixture.ts'
import { rulesOf, WatchProxies } from './watch-proxies.fixture.ts'

interface Shown {
  readonly time: string
  readonly total: number
  readonly behind: number
  readonly proxies: readonly {
    readonly id: string
    readonly server: string
    readonly isBehind: boolean
    readonly namespaces: readonly { readonly version: number; readonly newest: number; readonly behindMs?: number }[]
  }[]
  readonly silent: readonly { readonly id: string }[]
}

interface Written {
  readonly version: number
  readonly applied: boolean
  readonly proxies: { readonly total: number; readonly applied: number; readonly silent: readonly object[] }
}

const idsOf = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

describe('the proxies of three servers', () => {
  const directory = tempDirectory()
  let servers: ServerFleet
  let quick: WatchProxies
  let sleepy: WatchProxies
  let version = 0

  beforeAll(async () => {
    servers = await ServerFleet.start(3, () => ({ kind: 'sqlite', path: join(directory.path, 'nameplane.db') }))
    await Promise.all(servers.urls.map(url => new ReplicaClient(url).untilWhole(3)))
    await write('?wait=all')
    const addresses = servers.servers.map(({ grpcPort }) => `127.0.0.1:${grpcPort}`)
    quick = new WatchProxies({ addresses, ids: idsOf('quick', 18), names: 20 })
    sleepy = new WatchProxies({ addresses, ids: idsOf('sleepy', 2), names: 20 })
    await until(({ total, behind }) => total === 20 && behind === 0)
  })

  afterAll(async () => {
    await quick[Symbol.asyncDispose]()
    await sleepy[Symbol.asyncDispose]()
    await servers[Symbol.asyncDispose]()
    directory.remove()
  })

  async function write(query: string, server = 0): Promise<Written> {
    const url = `${servers.urls[server]}/api/dtabs/default${query}`
    const headers = { 'content-type': 'application/dtab' }
    const response = await fetch(url, { method: 'PUT', headers, body: rulesOf(++version) })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Written // our own server's
  }

  async function shown(query = '?limit=1000', server = 0): Promise<Shown> {
    return (await (await fetch(`${servers.urls[server]}/api/proxies${query}`)).json()) as Shown // our own server's
  }

  /** Asks again, not all the time, until it is as wanted; the test's own time limit is the only one. */
  async function until(holds: (answer: Shown) => boolean, query?: string): Promise<Shown> {
    for (;;) {
      const answer = await shown(query)
      if (holds(answer)) return answer
      await setTimeout(100)
    }
  }

  const versionsOf = ({ proxies }: Shown): ReadonlyMap<string, number> =>
    new Map(proxies.map(({ id, namespaces }) => [id, namespaces[0]?.version ?? 0]))

  it('are the same whichever server is asked', async () => {
    const answers = await Promise.all([0, 1, 2].map(server => shown(undefined, server)))
    expect(answers.map(({ total, silent }) => [total, silent])).toEqual([0, 1, 2].map(() => [20, []]))
    const places = answers.map(({ proxies }) => proxies.map(({ id, server }) => `${id} ${server}`))
    expect(places[1]).toEqual(places[0])
    expect(places[2]).toEqual(places[0])
    expect(new Set(answers[0]?.proxies.map(({ server }) => server)).size).toBeGreaterThan(1)
  })

  it('have what a write that waited for all of them says they have', async () => {
    for (let n = 0; n < 20; n++) {
      const written = await write('?wait=proxies:100%25&timeout=60s', n % 3)
      expect(written).toMatchObject({ applied: true, proxies: { total: 20, applied: 20, silent: [] } })
      const held = [...(await quick.held()).values(), ...(await sleepy.held()).values()]
      expect(Math.min(...held)).toBe(written.version)
    }
  })

  it('never hold less than is shown of them, while versions come one after the other', async () => {
    let isDone = false
    const writing = (async () => {
      for (let n = 0; n < 100; n++) await write('', n % 3)
      isDone = true
    })()
    let looks = 0
    while (!isDone) {
      const before = versionsOf(await shown())
      const held = new Map([...(await quick.held()), ...(await sleepy.held())])
      looks++
      await setTimeout(20)
      for (const [id, at] of before) expect([id, (held.get(id) ?? 0) >= at]).toEqual([id, true])
    }
    await writing
    expect(looks).toBeGreaterThan(10)
    const last = await until(({ total, behind }) => total === 20 && behind === 0)
    expect(new Set(versionsOf(last).values())).toEqual(new Set([version]))
  })

  it('are shown behind, with what they hold and for how long, when they stand still', async () => {
    const before = version
    sleepy.freeze()
    const written = await write('?wait=proxies:100%25&timeout=3s')
    expect(written).toMatchObject({ applied: false, proxies: { total: 20, applied: 18, silent: [] } })
    expect(await write('?wait=proxies:90%25&timeout=60s')).toMatchObject({ applied: true })
    const behind = await shown('?behind=true&limit=1000', 1)
    expect(behind.proxies.map(({ id }) => id)).toEqual(['sleepy-0', 'sleepy-1'])
    for (const { namespaces } of behind.proxies) {
      expect(namespaces).toMatchObject([{ version: before, newest: version }])
      expect(namespaces[0]?.behindMs).toBeGreaterThan(2_500)
    }
    const gauges = await Promise.all(
      servers.servers.map(async ({ adminUrl }) => (await fetch(`${adminUrl}/metrics`)).text()),
    )
    const late = gauges.map(text =>
      Number(/nameplane_proxies_behind\{namespace="default"[^}]*\} (\d+)/.exec(text)?.[1]),
    )
    expect(late.reduce((sum, count) => sum + count, 0)).toBe(2)
    sleepy.resume()
    const healed = await until(({ total, behind: left }) => total === 20 && left === 0)
    expect(new Set(versionsOf(healed).values())).toEqual(new Set([version]))
  })

  it('are found at the other servers within seconds when theirs is killed', async () => {
    const victim = servers.servers[2]
    await victim?.kill()
    const killedAt = performance.now()
    const left = await until(({ total, behind }) => total === 20 && behind === 0)
    const movedMs = performance.now() - killedAt
    expect(new Set(left.proxies.map(({ server }) => server)).size).toBe(2)
    expect(left.silent.length).toBeLessThanOrEqual(1)
    expect(movedMs).toBeLessThan(5_000)
    const gone = await until(({ silent }) => silent.length === 0)
    expect(gone.total).toBe(20)
    expect(await write('?wait=proxies:100%25&timeout=60s')).toMatchObject({ applied: true, proxies: { total: 20 } })
  }, 60_000)
})
