import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Mesh, type Ports, putDtab } from '../e2e/mesh.fixture.ts'
import { ProxyClient } from '../e2e/request.fixture.ts'

describe('E5: names that a proxy drops', () => {
  let mesh: Mesh
  let ports: Ports

  beforeEach(async () => {
    mesh = await Mesh.create()
    for (const name of ['blue', 'green']) await mesh.backend(name)
    ports = await mesh.startServer()
    await putDtab(ports.http, 'default', '/svc/* => /#/io.l5d.fs/blue; /svc/green => /#/io.l5d.fs/green')
  })

  afterEach(() => mesh[Symbol.asyncDispose]())

  const startClient = async (bindingCache: object): Promise<ProxyClient> =>
    new ProxyClient((await mesh.startProxy([ports.grpc], { bindingCache })).port)

  async function subscriptions(): Promise<number> {
    const metrics = await (await fetch(`http://127.0.0.1:${ports.admin}/metrics`)).text()
    return Number(/^nameplane_watch_subscriptions(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1])
  }

  it('leave the stream to the server at once', async () => {
    await using client = await startClient({ paths: 5, clients: 5 })
    for (let i = 0; i < 40; i++) expect((await client.get(`stranger-${i}`)).body).toBe('blue')
    // Five names, and the one id that all of them lead to.
    await expect.poll(subscriptions).toBe(6)
  })

  it('are bound anew when they are asked for a moment later, and never wrongly', async () => {
    await using client = await startClient({ paths: 1, clients: 1 })
    const answers = new Set<string>()
    for (let i = 0; i < 60; i++) {
      const host = i % 2 === 0 ? 'blue' : 'green'
      const { status, body } = await client.get(host)
      answers.add(`${host}: ${status} ${body}`)
    }
    expect([...answers].toSorted()).toEqual(['blue: 200 blue', 'green: 200 green'])
  })
})
