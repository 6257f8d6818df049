import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { until } from '../grpc/grpc-api.fixture.ts'
import { MeshClient, type MeshServer, startMesh, wirePath } from './mesh.fixture.ts'

let server: MeshServer
let client: MeshClient

beforeEach(async () => {
  server = await startMesh()
  client = new MeshClient(server.address)
})

afterEach(async () => {
  client.close()
  await server.close()
})

const web = { root: wirePath('/default'), name: wirePath('/svc/web') }

function treeTo(name: string, ...residual: readonly string[]): object {
  return {
    tree: { leaf: { id: { elems: ['#', 'test', name] }, residual: residual.length ? { elems: residual } : {} } },
  }
}

const refused: readonly (readonly [request: object, code: number, details: string])[] = [
  [{ name: web.name }, 3, 'No namespace specified'],
  [{ ...web, root: {} }, 3, 'Invalid root: `/` must have exactly one segment'],
  [{ ...web, root: wirePath('/a/b') }, 3, 'Invalid root: `/a/b` must have exactly one segment'],
  [{ root: web.root }, 5, 'No name given'],
  [{ ...web, name: {} }, 5, 'No name given'],
  [{ ...web, dtab: { dentries: [{ prefix: {} }] } }, 3, 'The request does not decode'],
  [{ ...web, name: wirePath('/circle') }, 13, 'Max recursion level: 100 reached'],
  [{ ...web, name: wirePath('/$/x.y/z') }, 13, 'x.y'],
  [{ ...web, name: { elems: [Buffer.alloc(70_000, 'a')] } }, 8, 'The request has 70'],
]

describe('GetBoundTree', () => {
  test('binds a name with its residual, its own rules winning', async () => {
    server.namer.exists('web').set(true)
    server.namer.exists('other').set(true)
    await server.put('default', '/svc => /#/test')
    const name = wirePath('/svc/web/x')
    expect(await client.ask('Interpreter/GetBoundTree', { ...web, name })).toEqual(treeTo('web', 'x'))
    const rule = {
      prefix: { elems: [{ label: 'svc' }, { wildcard: {} }] },
      dst: { leaf: { id: wirePath('/#/test/other') } },
    }
    const dtab = { dentries: [{ ...rule, prefix: { elems: [{ label: Buffer.from('svc') }, { wildcard: {} }] } }] }
    expect(await client.ask('Interpreter/GetBoundTree', { ...web, dtab })).toEqual(treeTo('other'))
  })

  test('shows unions with their weights, and marks', async () => {
    for (const name of ['a', 'b']) server.namer.exists(name).set(true)
    await server.put('default', '/svc/web => 0.25 * /#/test/a & 0.75 * /#/test/b; /svc/no => !; /svc/none => $')
    const weighted = (weight: number, name: string): object => ({ weight, ...treeTo(name) })
    expect(await client.ask('Interpreter/GetBoundTree', web)).toEqual({
      tree: { union: { trees: [weighted(0.25, 'a'), weighted(0.75, 'b')] } },
    })
    const marks = ['no', 'none', 'other'].map(name =>
      client.ask('Interpreter/GetBoundTree', { ...web, name: wirePath(`/svc/${name}`) }),
    )
    expect(await Promise.all(marks)).toEqual([{ tree: { fail: {} } }, { tree: { empty: {} } }, { tree: { neg: {} } }])
  })

  test('takes a namespace that does not exist for an empty dtab', async () => {
    expect(await client.ask('Interpreter/GetBoundTree', { ...web, root: wirePath('/nowhere') })).toEqual({
      tree: { neg: {} },
    })
  })

  test('and StreamBoundTree refuse what cannot be answered, in words that say why', async () => {
    await server.put('default', '/circle => /circle/x')
    for (const [request, code, details] of refused) {
      const refusal = { code, details: expect.stringContaining(details) }
      await expect(client.ask('Interpreter/GetBoundTree', request)).rejects.toMatchObject(refusal)
      const stream = client.stream('Interpreter/StreamBoundTree', request)
      await expect(stream.ended).resolves.toMatchObject(refusal)
      expect(stream.messages).toEqual([])
    }
  })

  test('waits until the name is known, no longer than its deadline', async () => {
    await server.put('default', '/svc => /#/test')
    await expect(client.ask('Interpreter/GetBoundTree', web, 30)).rejects.toMatchObject({ code: 4 })
    // One keeps the name warm, one the namespace: nobody waits.
    await until(() => server.kernel.counts().watchers === 2)
    const answer = client.ask('Interpreter/GetBoundTree', web)
    server.namer.exists('web').set(true)
    expect(await answer).toEqual(treeTo('web'))
  })

  test('says that a backend does not answer, and waits no more when the server stops', async () => {
    await server.put('default', '/svc => /#/test')
    server.namer.exists('web').fail(new NamingError('namer-unavailable', 'test is away'))
    const answer = client.ask('Interpreter/GetBoundTree', web)
    await expect(answer).rejects.toMatchObject({ code: 14, details: 'test is away' })
    const { watchers } = server.kernel.counts()
    const waiting = client.ask('Interpreter/GetBoundTree', { ...web, name: wirePath('/svc/other') })
    const stopped = waiting.catch((error: unknown) => error)
    await until(() => server.kernel.counts().watchers === watchers + 2)
    server.shutdown.abort()
    expect(await stopped).toMatchObject({ code: 14, details: 'The server is stopping.' })
  })
})

describe('StreamBoundTree', () => {
  test('sends the tree when it is known, and each other tree', async () => {
    await server.put('default', '/svc => /#/test')
    const stream = client.stream('Interpreter/StreamBoundTree', web)
    await stream.opened()
    expect(stream.messages).toEqual([])
    server.namer.exists('web').set(true)
    await stream.received(1)
    await server.put('default', '/other => /#/test; /svc => /#/test')
    server.namer.exists('web').set(false)
    expect(await stream.received(2)).toEqual([treeTo('web'), { tree: { neg: {} } }])
    stream.cancel()
  })

  test('keeps its last tree through a failure, and goes on after it', async () => {
    await server.put('default', '/svc => /#/test')
    server.namer.exists('web').set(true)
    const stream = client.stream('Interpreter/StreamBoundTree', web)
    await stream.received(1)
    server.namer.exists('web').fail(new Error('test is away'))
    await server.put('default', '/svc => /svc/x')
    await server.put('default', '/svc/web => ~')
    expect(await stream.received(2)).toEqual([treeTo('web'), { tree: { neg: {} } }])
    stream.cancel()
  })

  test('waits through a failure that may pass, though nothing was sent', async () => {
    await server.put('default', '/svc => /#/test')
    server.namer.exists('web').fail(new Error('test is away'))
    const stream = client.stream('Interpreter/StreamBoundTree', web)
    await stream.opened()
    server.namer.exists('web').set(true)
    expect(await stream.received(1)).toEqual([treeTo('web')])
    stream.cancel()
  })

  test('counts a connection as one proxy, which is behind until the transport has taken what it follows', async () => {
    await server.put('default', '/svc => /#/test')
    server.namer.exists('web').set(true)
    const streams = ['/svc/web', '/svc/web/x'].map(name =>
      client.stream('Interpreter/StreamBoundTree', { ...web, name: wirePath(name) }),
    )
    await Promise.all(streams.map(stream => stream.received(1)))
    await until(() => server.proxies.pageNow({ limit: 10 }).behind === 0)
    const [proxy] = server.proxies.pageNow({ limit: 10 }).proxies
    expect(proxy).toMatchObject({ protocol: 'io.linkerd.mesh', confirms: false, streams: 2 })
    expect(proxy?.namespaces).toMatchObject([{ namespace: 'default', names: 2 }])
    for (const stream of streams) stream.cancel()
    await until(() => server.proxies.pageNow({ limit: 10 }).proxies[0]?.streams === 0)
    client.close()
    await until(() => server.proxies.size === 0)
  })
})
