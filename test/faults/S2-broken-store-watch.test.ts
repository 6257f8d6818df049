// S2: a write is made while the watch of the store is broken or late. Who wrote it sees it at once; another server reads it
// as soon as it hears that somebody goes by it.
import { afterEach, expect, it } from 'vitest'
import type { Store, Version } from '../../storage/store.ts'
import { request } from '../contract/store.contract.ts'
import { openSharedRig, type SharedRig } from '../storage/shared/shared-store.fixture.ts'

const rigs: SharedRig[] = []

function open(): SharedRig {
  const rig = openSharedRig({ servers: 2 })
  rigs.push(rig)
  return rig
}

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close()
})

function observed(store: Store | undefined): () => Version | undefined {
  const cell = store?.observe('web')
  cell?.watch(() => {})
  return () => {
    const state = cell?.peek()
    return state?.kind === 'ok' ? state.value : undefined
  }
}

it('S2: the cells of the server that wrote have the version when the writer has its answer', async () => {
  const rig = open()
  const own = observed(rig.store)
  await rig.store.write(request('web', '/a=>/b'))
  await rig.until('known', () => own()?.version === 1)
  rig.backend.isWatchHeld = true
  const { written } = await rig.store.write(request('web', '/a=>/c'))
  expect(own()).toEqual(written)
})

it('S2: a server whose watch is late reads what it is told of, at once, and shows it', async () => {
  const rig = open()
  const [own, other] = rig.servers.map(({ store }) => observed(store))
  await rig.store.write(request('web', '/a=>/b'))
  await rig.until('known', () => own?.()?.version === 1 && other?.()?.version === 1)
  rig.backend.isWatchHeld = true
  const { written } = await rig.store.write(request('web', '/a=>/c'))
  await rig.pass(5_000)
  expect(other?.()?.version).toBe(1)
  rig.servers[1]?.store.noticed('web', written.version)
  await rig.pass(0)
  expect(other?.()).toEqual(written)
})

it('S2: what the watch says late, after a read, changes nothing', async () => {
  const rig = open()
  const other = observed(rig.servers[1]?.store)
  await rig.pass(0)
  rig.backend.isWatchHeld = true
  for (let i = 1; i <= 3; i++) await rig.store.write(request('web', `/a=>/b${i}`))
  rig.servers[1]?.store.noticed('web', 3)
  await rig.until('version 3', () => other()?.version === 3)
  const reads = rig.backend.count('readHead')
  rig.backend.deliver()
  await rig.pass(5_000)
  expect(other()?.version).toBe(3)
  expect(rig.backend.count('readHead')).toBe(reads)
})
