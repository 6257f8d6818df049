// etcd as a backend, by what every backend that servers share must be able to do; and what is etcd's own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxEtcdDtabBytes } from '../../../storage/etcd/etcd-backend.ts'
import type { SharedBackend } from '../../../storage/shared/shared-backend.ts'
import {
  commitOver,
  type SharedBackendFixture,
  sharedBackendContract,
  versionOf,
} from '../../contract/shared-backend.contract.ts'
import { codeOf } from '../../contract/store.contract.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { freshPrefix, openBackend } from './etcd-store.fixture.ts'
import { realContract, realEnv, untilTrue } from './store.fixture.ts'

let etcd: RealEtcd

beforeAll(async () => {
  etcd = await RealEtcd.start()
})

afterAll(() => etcd[Symbol.asyncDispose]())

async function openFixture(): Promise<SharedBackendFixture> {
  const place = { endpoints: etcd.endpoints, pathPrefix: freshPrefix() }
  const env = realEnv()
  const [backend, other] = [openBackend(place, env), openBackend(place, env)]
  return {
    backend,
    other,
    outside: {
      put: async (namespace, content) => void (await etcd.server.api.put(`${place.pathPrefix}/${namespace}`, content)),
      remove: async namespace => void (await etcd.server.api.delete(`${place.pathPrefix}/${namespace}`)),
    },
    until: untilTrue,
    close: async () => {
      await Promise.all([backend.close(), other.close()])
      env.kernel.close()
    },
  }
}

sharedBackendContract('etcd', openFixture, realContract)

/** As long as the HTTP API takes them, of the letters that weigh most in JSON. */
const longMessage = '\u0001'.repeat(4096)

describe('S7: the size of a dtab in etcd', () => {
  let backend: SharedBackend
  beforeAll(() => {
    backend = openBackend({ endpoints: etcd.endpoints, pathPrefix: freshPrefix() }, realEnv())
  })
  afterAll(() => backend.close())

  it('takes the largest text with the longest message and key, by the default settings of etcd', async () => {
    const text = 'x'.repeat(maxEtcdDtabBytes)
    const version = versionOf('n'.repeat(253), 1, text, { message: longMessage, idempotencyKey: 'k'.repeat(255) })
    await commitOver(backend, version, undefined, 'f'.repeat(64))
    expect((await backend.readVersion(version.namespace, 1))?.text).toBe(text)
  })

  it('says dtab-too-large of what etcd refuses, and changes nothing', async () => {
    const text = 'x'.repeat(maxEtcdDtabBytes + 100 * 1024)
    const over = await backend.readHead('large')
    expect(await codeOf(backend.commit({ over, version: versionOf('large', 1, text) }))).toBe('dtab-too-large')
    const larger = versionOf('large', 1, 'x'.repeat(8 * 1024 * 1024))
    expect(await codeOf(backend.commit({ over, version: larger }))).toBe('dtab-too-large')
    expect((await backend.readHead('large')).token).toBe(over.token)
  })
})
