// S7: a text one byte above the limit of a shared store is refused before anything is sent.
import { expect, it } from 'vitest'
import { request } from '../contract/store.contract.ts'
import { openSharedRig } from '../storage/shared/shared-store.fixture.ts'

const limit = 1_000

it('S7: a text over the limit is refused with both numbers, and the backend hears nothing of it', async () => {
  const rig = openSharedRig({ maxDtabBytes: limit })
  for (const bytes of [limit - 1, limit]) await rig.store.write(request('web', '#'.repeat(bytes)))
  const calls = new Map(rig.backend.calls)
  await expect(rig.store.write(request('web', '#'.repeat(limit + 1)))).rejects.toMatchObject({
    code: 'dtab-too-large',
    detail: { used: limit + 1, limit },
  })
  expect(rig.backend.calls).toEqual(calls)
  expect(await rig.store.head('web')).toMatchObject({ version: 2 })
  await rig.close()
})

it('S7: a text over the limit that somebody else puts there is refused, one at it is taken', async () => {
  const rig = openSharedRig({ maxDtabBytes: limit })
  const cell = rig.store.refusals()
  cell.watch(() => {})
  rig.backend.put('web', '#'.repeat(limit))
  await rig.pass(1_000)
  expect(await rig.store.head('web')).toMatchObject({ version: 1, meta: { author: 'external' } })
  rig.backend.put('web', '#'.repeat(limit + 1))
  await rig.pass(1_000)
  const reason = `it has ${limit + 1} bytes; this store holds at most ${limit}`
  expect(cell.peek()).toMatchObject({ kind: 'ok', value: [{ namespace: 'web', bytes: limit + 1, reason }] })
  expect(await rig.store.head('web')).toMatchObject({ version: 1 })
  await rig.close()
})
