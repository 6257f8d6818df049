import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

const request = { root: wirePath('/default') }
const path = (...elems: readonly string[]): object => ({ elems })
const prefix = (label: string): object => ({ elems: [{ label }] })

function dtabOf(version: number, label: string): object {
  const dentry = { prefix: prefix(label), dst: { leaf: { id: path('#', 'test') } } }
  return { dtab: { version: { id: `\0\0\0\0\0\0\0${String.fromCharCode(version)}` }, dtab: { dentries: [dentry] } } }
}

describe('dtabs', () => {
  test('are given with their version as eight bytes, each anew while the stream lasts', async () => {
    await server.put('default', '/svc => /#/test')
    expect(await client.ask('Delegator/GetDtab', request)).toEqual(dtabOf(1, 'svc'))
    const stream = client.stream('Delegator/StreamDtab', request)
    await stream.received(1)
    await server.put('default', '/svc => /#/test')
    await stream.received(2)
    await server.put('default', '/http => /#/test')
    expect(await stream.received(3)).toEqual([dtabOf(1, 'svc'), dtabOf(2, 'svc'), dtabOf(3, 'http')])
    stream.cancel()
  })

  test('that are not there are NOT_FOUND; a stream ends when its dtab is deleted', async () => {
    const missing = { code: 5, details: 'Root not found' }
    await expect(client.ask('Delegator/GetDtab', request)).rejects.toMatchObject(missing)
    await expect(client.stream('Delegator/StreamDtab', request).ended).resolves.toMatchObject(missing)
    await server.put('default', '/svc => /#/test')
    const stream = client.stream('Delegator/StreamDtab', request)
    await stream.received(1)
    await server.put('default')
    await expect(stream.ended).resolves.toMatchObject(missing)
    const unnamed = { code: 3, details: 'No namespace specified' }
    await expect(client.ask('Delegator/GetDtab', {})).rejects.toMatchObject(unnamed)
    await expect(client.stream('Delegator/StreamDtab', {}).ended).resolves.toMatchObject(unnamed)
  })
})

test('a large dtab is given whole, to calls and streams, and a newer one takes its place on the way', async () => {
  const rules = (label: string): string =>
    Array.from({ length: 3_000 }, (_, n) => `/svc/${n} => /${label}/${n}`).join(';')
  await server.put('default', rules('old'))
  const streams = [1, 2].map(() => client.stream('Delegator/StreamDtab', request))
  await Promise.all(streams.map(stream => stream.received(1)))
  await server.put('default', rules('new'))
  await server.put('default', '/svc => /#/test')
  for (const stream of streams)
    await until(() => JSON.stringify(stream.messages.at(-1)) === JSON.stringify(dtabOf(3, 'svc')))
  await server.put('default', rules('new'))
  expect(await client.ask('Delegator/GetDtab', request)).toMatchObject({
    dtab: { dtab: { dentries: { length: 3_000 } } },
  })
  await server.put('default')
  await server.put('default', rules('again'))
  const last = client.stream('Delegator/StreamDtab', request)
  await last.received(1)
  for (const stream of [...streams, last]) stream.cancel()
  await until(() => server.api.streams().open === 0)
})

describe('explanations', () => {
  const noRule = { prefix: prefix('/'), dst: { neg: {} } }
  const asked = { ...request, tree: { leaf: { id: wirePath('/svc/web') } } }
  const svcRule = {
    prefix: prefix('svc'),
    dst: { alt: { trees: [{ leaf: { id: path('#', 'test') } }, { leaf: { id: path('$', 'x.y') } }] } },
  }
  const explained = {
    tree: {
      path: path('svc', 'web'),
      dentry: noRule,
      alt: {
        trees: [
          {
            path: path('#', 'test', 'web'),
            dentry: svcRule,
            leaf: { id: path('#', 'test', 'web'), residual: {} },
          },
          {
            path: path('$', 'x.y', 'web'),
            dentry: svcRule,
            exception: 'BoundDelegateTree Exception: Unknown namer: x.y for path: /$/x.y/web',
          },
        ],
      },
    },
  }

  test('follow every alternative; a stream of one is one message and ends well', async () => {
    server.namer.exists('web').set(true)
    await server.put('default', '/svc => /#/test | /$/x.y')
    const answer = await client.ask('Delegator/GetDelegateTree', asked)
    const stream = client.stream('Delegator/StreamDelegateTree', asked)
    await expect(stream.ended).resolves.toMatchObject({ code: 0 })
    expect(stream.messages).toEqual([answer])
    expect(answer).toEqual(explained)
  })

  test('wait until they are whole', async () => {
    await server.put('default', '/svc => /#/test | /$/x.y')
    const stream = client.stream('Delegator/StreamDelegateTree', asked)
    await stream.opened()
    const answer = client.ask('Delegator/GetDelegateTree', asked)
    server.namer.exists('web').set(true)
    expect([await answer, ...(await stream.received(1))]).toEqual([explained, explained])
  })

  test('are refused where there is none', async () => {
    const cases: readonly (readonly [request: object, code: number, details: string])[] = [
      [{ tree: asked.tree }, 3, 'No namespace specified'],
      [request, 5, 'No name given'],
      [{ ...request, tree: {} }, 3, 'The request does not decode'],
      [{ ...request, tree: { leaf: { id: wirePath('/circle') } } }, 13, 'Max recursion level'],
    ]
    await server.put('default', '/circle => /circle')
    for (const [wanted, code, details] of cases) {
      const refusal = { code, details: expect.stringContaining(details) }
      await expect(client.ask('Delegator/GetDelegateTree', wanted)).rejects.toMatchObject(refusal)
      await expect(client.stream('Delegator/StreamDelegateTree', wanted).ended).resolves.toMatchObject(refusal)
    }
  })
})
