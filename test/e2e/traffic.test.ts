// Traffic follows discovery, the dtab and a request's own rules. With processes of their own: test/real/proxy-follows-dtab.test.ts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Mesh, type Ports, putDtab } from './mesh.fixture.ts'
import { ProxyClient } from './request.fixture.ts'

describe('traffic through a mesh in one process', () => {
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

  it('follows a discovery file', async () => {
    await client.untilBody('web', 'v1')
    const moved = await mesh.backend('v1-moved')
    const address = moved.address()
    if (address === null || typeof address === 'string') throw new Error('not a TCP server')
    await mesh.discover('v1', `127.0.0.1 ${address.port}\n`)
    const answers = await client.untilBody('web', 'v1-moved')
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })

  it('follows the dtab under load without one failed request', async () => {
    await client.untilBody('web', 'v1')
    const bodies = new Set<string>()
    let isDone = false
    const ask = async (): Promise<void> => {
      while (!isDone) bodies.add((await client.get('web')).body)
    }
    const clients = [ask(), ask()]
    for (let flip = 1; flip <= 10; flip++) {
      const target = flip % 2 === 0 ? 'v1' : 'v2'
      await putDtab(ports.http, 'default', `/svc/web => /#/io.l5d.fs/${target}`)
      await client.untilBody('web', target)
    }
    isDone = true
    await Promise.all(clients)
    expect([...bodies].toSorted()).toEqual(['v1', 'v2'])
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
