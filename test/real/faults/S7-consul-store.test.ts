// S7: texts at Consul's size limit, with long messages too: stored whole, or refused cleanly with nothing changed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxConsulDtabBytes } from '../../../storage/consul/consul-backend.ts'
import type { Version } from '../../../storage/store.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { RealConsul } from '../consul.fixture.ts'
import { freshPrefix, type OpenStore, startStore } from '../storage/consul-store.fixture.ts'

/** A comment of three-byte letters, filled up with ASCII: base64 and bytes are what counts, not characters. */
function textOf(bytes: number): string {
  const letters = Math.floor((bytes - 1) / 3)
  return `#${'漢'.repeat(letters)}${'x'.repeat(bytes - 1 - 3 * letters)}`
}

describe('S7: at the size limit of Consul', () => {
  let consul: RealConsul
  let server: OpenStore

  beforeAll(async () => {
    consul = await RealConsul.start()
    server = await startStore({ port: consul.port, pathPrefix: freshPrefix() })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await consul[Symbol.asyncDispose]()
  })

  const write = (namespace: string, bytes: number, message = ''): Promise<Version> =>
    server.store
      .write(request(namespace, textOf(bytes), { message, idempotency: { key: `${bytes}`, fingerprint: 'print' } }))
      .then(({ written }) => written)

  it.each([maxConsulDtabBytes - 1, maxConsulDtabBytes])('stores a text of %i bytes, and gives it back', async bytes => {
    const namespace = `fits-${bytes}`
    expect((await write(namespace, bytes)).version).toBe(1)
    const { store } = server
    expect((await store.head(namespace))?.text).toBe(textOf(bytes))
    expect((await store.version(namespace, 1))?.text).toBe(textOf(bytes))
    expect(await store.history(namespace, { limit: 1 })).toMatchObject([{ bytes }])
  })

  it('refuses one byte more and changes nothing', async () => {
    const before = await write('over', 10)
    expect(await codeOf(write('over', maxConsulDtabBytes + 1))).toBe('dtab-too-large')
    expect(await server.store.head('over')).toEqual(before)
    expect(await server.store.history('over', { limit: 10 })).toHaveLength(1)
  })

  it('stores a message of 4 KB beside the largest text', async () => {
    const message = '漢'.repeat(Math.floor(4096 / 3))
    await write('message', maxConsulDtabBytes, message)
    expect(await server.store.head('message')).toMatchObject({ version: 1, meta: { message } })
  })

  it.each([12_000, 100_000, 1_000_000])(
    'refuses what Consul does not take together with a message of %i bytes, and changes nothing',
    async length => {
      const namespace = `long-${length}`
      const before = await write(namespace, 10)
      const refusal = write(namespace, maxConsulDtabBytes, 'm'.repeat(length))
      const detail = { used: expect.any(Number), limit: 512 * 1024 }
      await expect(refusal).rejects.toMatchObject({ code: 'dtab-too-large', httpStatus: 413, detail })
      expect(await server.store.head(namespace)).toEqual(before)
      expect(await server.store.history(namespace, { limit: 10 })).toHaveLength(1)
    },
  )
})
