// S7: etcd takes requests up to 1.5 MiB. What is too large is refused before it is sent; etcd with no room left says so.
import { expect, it } from 'vitest'
import { maxEtcdDtabBytes } from '../../../storage/etcd/etcd-backend.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { freshPrefix, openBackend, startStore } from '../storage/etcd-store.fixture.ts'
import { realEnv, untilTrue } from '../storage/store.fixture.ts'

const textOf = (bytes: number): string => `/a => /b ; #${'x'.repeat(bytes - 12)}`

it('S7: a text of the limit is written and one byte more is refused, with nothing changed', async () => {
  await using etcd = await RealEtcd.start()
  await using one = await startStore({ endpoints: etcd.endpoints, pathPrefix: freshPrefix() })
  const { store } = one
  const message = '\u0001'.repeat(4096)
  for (const bytes of [maxEtcdDtabBytes - 1, maxEtcdDtabBytes]) {
    const { written } = await store.write(request('web', textOf(bytes), { message }))
    expect(await store.head('web')).toEqual(written)
    expect(Buffer.byteLength(written.text ?? '')).toBe(bytes)
  }
  const { revision } = await etcd.server.api.status()
  expect(await codeOf(store.write(request('web', textOf(maxEtcdDtabBytes + 1))))).toBe('dtab-too-large')
  expect(await etcd.server.api.status()).toMatchObject({ revision })
  expect(await store.head('web')).toMatchObject({ version: 2 })
})

it('S7: when the space of etcd is used up writes say store-full, reads and leases go on, and writing resumes when there is room', async () => {
  await using etcd = await RealEtcd.start({ argv: [`--quota-backend-bytes=${8 * 1024 * 1024}`] })
  const { api } = etcd.server
  await using one = await startStore({ endpoints: etcd.endpoints, pathPrefix: freshPrefix() })
  const { store } = one
  let head = 0
  store.observe('web').watch(state => {
    if (state.kind === 'ok') head = state.value?.version ?? 0
  })
  const backend = openBackend({ endpoints: etcd.endpoints, pathPrefix: freshPrefix() }, realEnv())
  const claim = { kind: 'lease', name: 'sweep', owner: 'me', data: '', ttlMs: 10_000, force: false } as const
  const renew = (): Promise<boolean> =>
    backend.claims.claim({ ...claim, now: Date.now(), expiresAt: Date.now() + 15_000 })
  expect(await renew()).toBe(true)
  let refused: unknown
  for (let i = 0; i < 50 && refused === undefined; i++) {
    refused = await codeOf(store.write(request('web', textOf(500_000))))
  }
  expect(refused).toBe('store-full')
  await expect(store.write(request('web', '/a=>/b'))).rejects.toThrow(/alarm disarm/)
  const stands = await store.head('web')
  expect(stands?.version).toBeGreaterThan(3)
  await untilTrue('the head', () => head === stands?.version)
  expect(await renew()).toBe(true)
  await backend.close()
  const older = Array.from({ length: (stands?.version ?? 1) - 1 }, (_, n) => n + 1)
  await store.forget('web', older)
  await api.compact((await api.status()).revision)
  await api.post('/v3/maintenance/defragment', {})
  await api.post('/v3/maintenance/alarm', {
    action: 'DEACTIVATE',
    memberID: (await api.status()).member,
    alarm: 'NOSPACE',
  })
  const { written } = await store.write(request('web', '/a=>/b'))
  await untilTrue('the new head', () => head === written.version)
})
