// The main job: a dtab goes in, traffic moves, and it goes on moving while the server is away.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Mesh, type Ports, putDtab } from './mesh.fixture.ts'
import { ProxyClient } from './request.fixture.ts'

const proxyState = z.object({
  routers: z.array(z.object({ naming: z.object({ facts: z.object({ messagesSent: z.number() }) }) })),
})

describe('traffic through the proxy', () => {
  let mesh: Mesh
  let ports: Ports
  let proxy: { readonly port: number; readonly adminPort: number }
  let client: ProxyClient

  beforeEach(async () => {
    mesh = await Mesh.create()
    await mesh.backend('v1')
    await mesh.backend('v2')
    ports = await mesh.startServer()
    await putDtab(ports.http, 'default', '/svc/web => /#/io.l5d.fs/v1')
    proxy = await mesh.startProxy([ports.grpc])
    client = new ProxyClient(proxy.port)
  })

  afterEach(async () => {
    await client[Symbol.asyncDispose]()
    await mesh[Symbol.asyncDispose]()
  })

  it('follows each of 40 flips without a failed request', async () => {
    await client.untilBody('web', 'v1')
    const stop = new AbortController()
    const background = Array.from({ length: 4 }, async () => {
      const statuses = new Set<number>()
      while (!stop.signal.aborted) statuses.add((await client.get('web')).status)
      return [...statuses]
    })
    for (let flip = 1; flip <= 40; flip++) {
      const target = flip % 2 === 0 ? 'v1' : 'v2'
      await putDtab(ports.http, 'default', `/svc/web => /#/io.l5d.fs/${target}`)
      const onTheWay = await client.untilBody('web', target)
      expect(onTheWay.map(({ status }) => status)).not.toContain(502)
    }
    stop.abort()
    expect((await Promise.all(background)).flat()).toEqual([200, 200, 200, 200])
  })

  it('follows a discovery file', async () => {
    await client.untilBody('web', 'v1')
    const moved = await mesh.backend('v1-moved')
    const address = moved.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP server')
    await mesh.discover('v1', `127.0.0.1 ${address.port}\n`)
    const answers = await client.untilBody('web', 'v1-moved')
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  it('goes on while the server is away, and follows it again when it is back', async () => {
    await client.untilBody('web', 'v1')
    await mesh.stopServer()
    for (let n = 0; n < 50; n++) expect((await client.get('web')).body).toBe('v1')
    await mesh.startServer(ports)
    await putDtab(ports.http, 'default', '/svc/web => /#/io.l5d.fs/v2')
    const answers = await client.untilBody('web', 'v2')
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  it('asks the server nothing for a name that is bound', async () => {
    const sent = async (): Promise<number> => {
      const state = proxyState.parse(await (await fetch(`http://127.0.0.1:${proxy.adminPort}/state`)).json())
      return state.routers[0]?.naming.facts.messagesSent ?? Number.NaN
    }
    await client.untilBody('web', 'v1')
    const before = await sent()
    for (let n = 0; n < 500; n++) await client.get('web')
    expect([before > 0, await sent()]).toEqual([true, before])
  })

  it('is sent elsewhere for one request by l5d-dtab, others unharmed', async () => {
    await client.untilBody('web', 'v1')
    const override = await client.get('web', { 'l5d-dtab': '/svc/web => /#/io.l5d.fs/v2' })
    expect([override.body, (await client.get('web')).body]).toEqual(['v2', 'v1'])
  })

  it('moves to the first alternative as soon as it begins to exist', async () => {
    await putDtab(ports.http, 'default', '/svc/web => /#/io.l5d.fs/gone | /#/io.l5d.fs/v1')
    await client.untilBody('web', 'v1')
    await mesh.backend('gone')
    await client.untilBody('web', 'gone')
  })
})
