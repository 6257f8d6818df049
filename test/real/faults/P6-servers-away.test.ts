// P6: the server of real proxies stands still, then that of all is killed: they go on with the other, and no request fails.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Command, nameplane, portOf } from '../../e2e/process.fixture.ts'
import { ReplicaClient } from '../../e2e/replicas.fixture.ts'
import { eventually } from '../backend-process.fixture.ts'
import { type FleetServer, ServerFleet } from '../storage/server-fleet.fixture.ts'
import { Traffic } from '../traffic.fixture.ts'

const proxyCount = 4

const proxyState = z.object({
  routers: z.array(
    z.object({
      naming: z.object({
        facts: z.looseObject({ connection: z.looseObject({ kind: z.string(), address: z.string().optional() }) }),
      }),
    }),
  ),
})

/** One proxy process. */
interface Proxy {
  readonly command: Command
  readonly port: number
  readonly admin: string
}

describe('P6: proxies of two servers', () => {
  let folder: string
  let fleet: ServerFleet
  let upstream: Server
  let proxies: readonly Proxy[] = []
  let traffic: Traffic

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nameplane-P6-'))
    fleet = await ServerFleet.start(2, () => ({ kind: 'sqlite', path: join(folder, 'nameplane.db') }))
    upstream = createServer((_, response) => void response.end('upstream')).listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    const address = upstream.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const [first] = fleet.servers
    if (first === undefined) throw new Error('no server')
    await new ReplicaClient(first.url).put('default', `/svc => /$/inet/127.0.0.1/${port}`, '?wait=all&timeout=60s')
    proxies = await Promise.all(Array.from({ length: proxyCount }, (_, n) => startProxy(n)))
    traffic = new Traffic(proxies[0]?.port ?? 0, ['web'])
    await traffic.until('upstream')
    await eventually('all proxies connected', async () => (await addresses()).every(known => known !== undefined))
    traffic.take()
  })

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]()
    await Promise.all(proxies.map(({ command }) => command[Symbol.asyncDispose]()))
    upstream?.close()
    await fleet?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function startProxy(n: number): Promise<Proxy> {
    const config = {
      admin: { port: 0 },
      routers: [
        {
          label: 'outgoing',
          interpreter: { kind: 'nameplane', addresses: fleet.servers.map(addressOf) },
          servers: [{ port: 0 }],
        },
      ],
    }
    const file = join(folder, `proxy-${n}.json`)
    await writeFile(file, JSON.stringify(config))
    const command = nameplane(['proxy', file], { cwd: folder })
    const ports = await command.listening()
    return { command, port: portOf(ports, 'outgoing'), admin: `http://127.0.0.1:${portOf(ports, 'admin')}` }
  }

  /** Where each proxy is connected; undefined while it is not. */
  async function addresses(): Promise<readonly (string | undefined)[]> {
    return await Promise.all(
      proxies.map(async ({ admin }) => {
        const { routers } = proxyState.parse(await (await fetch(`${admin}/state`)).json())
        const { kind, address } = routers[0]?.naming.facts.connection ?? {}
        return kind === 'connected' ? address : undefined
      }),
    )
  }

  /** Milliseconds until every proxy is connected to this server. */
  async function untilAllAt(server: FleetServer): Promise<number> {
    const since = performance.now()
    await eventually('all proxies at the other server', async () =>
      (await addresses()).every(address => address === addressOf(server)),
    )
    return performance.now() - since
  }

  it('go to the other within 20 s when one stands still, and within 2 s when one is killed; no request fails', async () => {
    const [now] = await addresses()
    const [frozen, other] = fleet.servers.toSorted(server => (addressOf(server) === now ? -1 : 1))
    if (frozen === undefined || other === undefined) throw new Error('there are not two servers')
    frozen.freeze()
    const frozenMs = await untilAllAt(other)
    expect(frozenMs).toBeLessThan(20_000)
    frozen.resume()

    const killed = other.kill()
    const killedMs = await untilAllAt(frozen)
    await killed
    expect(killedMs).toBeLessThan(2_000)
    console.info(
      `moved in ${Math.round(frozenMs)} ms from a frozen server, in ${Math.round(killedMs)} ms from a killed one`,
    )

    await traffic.rounds(100)
    expect(traffic.take()).toEqual({ web: ['upstream'] })
  })
})

function addressOf({ grpcPort }: FleetServer): string {
  return `127.0.0.1:${grpcPort}`
}
