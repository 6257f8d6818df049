// Idempotency keys that have run out, when somebody has spoilt one of them.
import { expect, it } from 'vitest'
import type { ConsulKv, KvOperation } from '../../../clients/consul/kv.ts'
import { IdempotencyKeys } from '../../../storage/consul/idempotency-keys.ts'
import { Layout } from '../../../storage/consul/layout.ts'
import { idempotencyRecord } from '../../../storage/consul/records.ts'

const layout = new Layout('dtabs')
const hourMs = 3_600_000

it('drops the old keys and the spoilt ones of an hour, and leaves those that were used again', async () => {
  const record = (time: number) => idempotencyRecord.encode({ fingerprint: 'print', version: 1, time })
  const values = new Map<string, Uint8Array>([
    [layout.key('web/spoilt'), Buffer.from('{')],
    [layout.key('web/old'), record(1)],
    [layout.key('web/again'), record(5 * hourMs)],
  ])
  const hour = layout.hour(0)
  const done: KvOperation[] = []
  const kv: Pick<ConsulKv, 'keys' | 'read' | 'transact'> = {
    keys: async prefix =>
      prefix === hour ? ['web/spoilt', 'web/old', 'web/again', 'web/gone'].map(name => `${hour}${name}`) : [hour],
    read: async keys =>
      keys.map(key => {
        const value = values.get(key)
        return value === undefined ? undefined : { key, value, flags: 0, modifyIndex: 7 }
      }),
    transact: async operations => {
      done.push(...operations)
      return { kind: 'done', entries: [] }
    },
  }
  await new IdempotencyKeys(kv, layout).drop(4 * hourMs)
  expect(done).toEqual([
    { kind: 'delete-cas', key: layout.key('web/spoilt'), index: 7 },
    { kind: 'delete-cas', key: layout.key('web/old'), index: 7 },
    { kind: 'delete-tree', key: hour },
  ])
})
