import type { InjectOptions } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { peerAddress } from '../../../api/http/caller.ts'
import { createFixture, type Fixture } from './http-api.fixture.ts'

let fixture: Fixture | undefined

afterEach(async () => {
  await fixture?.close()
  fixture = undefined
})

const from = (remoteAddress: string, request: InjectOptions): InjectOptions => ({
  remoteAddress,
  headers: { 'content-type': 'application/dtab', 'nameplane-author': 'ann' },
  ...request,
})

describe('the address of a change', () => {
  it('is kept for each way to write, beside the author, and shown wherever a version is', async () => {
    const { api } = await createFixture().then(opened => {
      fixture = opened
      return opened
    })
    const url = '/api/dtabs/default'
    const json = { 'content-type': 'application/json' }
    await api.inject(from('10.0.0.1', { method: 'PUT', url, payload: '/a => /b' }))
    const ops = JSON.stringify({ ops: [{ op: 'set', prefix: '/a', dst: '/c' }] })
    await api.inject(from('10.0.0.2', { method: 'PATCH', url, headers: json, payload: ops }))
    await api.inject(from('10.0.0.3', { method: 'PUT', url: '/api/1/dtabs/default', payload: '/a => /d' }))
    await api.inject(from('10.0.0.4', { method: 'DELETE', url }))
    const back = { method: 'POST', url: `${url}/rollback`, headers: json, payload: '{"version":1}' } as const
    const written = await api.inject(from('::ffff:10.0.0.5', back))
    expect(written.json()).toMatchObject({ version: 5, parent: 4, address: '10.0.0.5', author: '10.0.0.5' })
    const { versions } = (await api.inject({ url: `${url}/versions` })).json()
    expect(versions.map(({ address }: { address: string }) => address)).toEqual(
      [5, 4, 3, 2, 1].map(last => `10.0.0.${last}`),
    )
    expect(versions[4]).toMatchObject({ author: 'ann', address: '10.0.0.1' })
    expect((await api.inject({ url })).json()).toMatchObject({ version: 5, parent: 4, address: '10.0.0.5' })
    expect((await api.inject({ url: '/api/dtabs' })).json().namespaces).toMatchObject([
      { version: 5, address: '10.0.0.5' },
    ])
  })

  it('is absent where there was no request', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    expect((await fixture.api.inject({ url: '/api/dtabs/default' })).json()).not.toHaveProperty('address')
  })

  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['fe80::1', 'fe80::1'],
    ['::ffff:0:1', '::ffff:0:1'],
    ['', undefined],
    [undefined, undefined],
  ])('of a socket at %s is %s', (ip, address) => expect(peerAddress(ip)).toBe(address))
})
