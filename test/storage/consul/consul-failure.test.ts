// What a store says of an answer of Consul's that is none.
import { expect, it } from 'vitest'
import { ConsulError, statusError } from '../../../clients/consul/consul-error.ts'
import { storeError } from '../../../storage/consul/consul-failure.ts'
import { Layout } from '../../../storage/consul/layout.ts'

const layout = new Layout('dtabs')
const rights = /needs a policy with key_prefix "dtabs\/".*key_prefix "nameplane\/".*session_prefix ""/

it('says of a transaction that is too large how large it is and may be', () => {
  const said = 'Request body(545574 bytes) too large, max size: 524288 bytes. See https://developer.hashicorp.com'
  const error = storeError(statusError(413, said, undefined), layout)
  expect(error).toMatchObject({ code: 'dtab-too-large', detail: { used: 545_574, limit: 524_288 } })
  expect(storeError(statusError(413, 'no figures', undefined), layout)).toMatchObject({
    code: 'dtab-too-large',
    detail: {},
  })
})

it('names the rights that a token lacks, and says of one that is gone that it is', () => {
  const lacking = storeError(statusError(403, 'Permission denied: token lacks permission', undefined), layout)
  expect(lacking.message).toMatch(rights)
  expect(lacking.message).not.toMatch(/start the server again/)
  const gone = storeError(statusError(403, 'ACL not found', undefined), layout)
  expect(gone.message).toMatch(rights)
  expect(gone.message).toMatch(/no such token; after a change of the configured one start the server again/)
})

it('tells a full disk from one that is away', () => {
  expect(storeError(statusError(500, 'write: no space left on device', undefined), layout).code).toBe('store-full')
  expect(storeError(new ConsulError('unreachable', 'gone'), layout).code).toBe('store-unavailable')
})
