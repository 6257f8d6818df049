import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MeshClient, type MeshServer, startMesh, wirePath } from './mesh.fixture.ts'

let server: MeshServer
let client: MeshClient

beforeAll(async () => {
  server = await startMesh()
  client = new MeshClient(server.address)
})

afterAll(async () => {
  client.close()
  await server.close()
})

describe('the codec', () => {
  test('reads and shows paths and dtabs', async () => {
    const read = await client.ask('Codec/ReadDtab', { text: '/svc/* => 0.333 * /a & /b' })
    const weighted = (weight: number, label: string): object => ({ weight, tree: { leaf: { id: { elems: [label] } } } })
    expect(read).toEqual({
      dtab: {
        dentries: [
          {
            prefix: { elems: [{ label: 'svc' }, { wildcard: {} }] },
            dst: { union: { trees: [weighted(0.333, 'a'), weighted(1, 'b')] } },
          },
        ],
      },
    })
    expect(await client.ask('Codec/ReadPath', { text: '/svc/web' })).toEqual({ path: { elems: ['svc', 'web'] } })
    expect(await client.ask('Codec/ShowPath', { path: wirePath('/svc/\\x20') })).toEqual({ text: '/svc/\\x20' })
    const dentry = { prefix: { elems: [{ label: Buffer.from('svc') }] }, dst: { leaf: { id: wirePath('/a') } } }
    expect(await client.ask('Codec/ShowDtab', { dtab: { dentries: [dentry, dentry] } })).toEqual({
      text: '/svc=>/a;/svc=>/a',
    })
  })

  test('takes what is not set for empty', async () => {
    const empty = ['ReadPath', 'ReadDtab', 'ShowPath', 'ShowDtab'].map(method => client.ask(`Codec/${method}`, {}))
    expect(await Promise.all(empty)).toEqual([{ path: {} }, { dtab: {} }, {}, {}])
  })

  test.each([
    ['ReadPath', { text: 'svc' }, 3, /'\/' expected|expected/],
    ['ReadDtab', { text: '/svc=>[]' }, 3, /expected/],
    ['ShowDtab', { dtab: { dentries: [{}] } }, 3, /no prefix/],
    ['ReadDtab', { text: 'x'.repeat(300_000) }, 8, /may have 262144/],
    ['ReadDtab', { text: `/a=>${'(/a|'.repeat(200)}/a${')'.repeat(200)}` }, 13, /nested too deep/],
  ])('%s says what is wrong', async (method, request, code, details) => {
    await expect(client.ask(`Codec/${method}`, request)).rejects.toMatchObject({
      code,
      details: expect.stringMatching(details),
    })
  })
})
