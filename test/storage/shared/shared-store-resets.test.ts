// A reading of all heads is taken in over several turns of the event loop: what observers see meanwhile is one state or the other.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NamespaceSummary } from '../../../storage/store.ts'
import type { State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { openSharedRig, type SharedRig } from './shared-store.fixture.ts'

const count = 1_300
let rig: SharedRig
let listings: State<readonly NamespaceSummary[]>[]

beforeEach(async () => {
  rig = openSharedRig({ servers: 2 })
  listings = []
  await Promise.all(Array.from({ length: count }, (_, i) => writeElsewhere(`n${i}`, '/a=>/b')))
})

afterEach(() => rig.close())

async function writeElsewhere(namespace: string, text: string): Promise<void> {
  await rig.servers[1]?.store.write(request(namespace, text))
}

async function listed(): Promise<void> {
  rig.store.list().watch(state => listings.push(state))
  await rig.until('listed', () => listings.at(-1)?.kind === 'ok')
}

/** Turns until `happens` has done so, at most ten. */
function turnsUntil(happens: () => boolean): number {
  for (let turns = 0; turns < 10; turns++) {
    if (happens()) return turns
    rig.clock.turn()
  }
  throw new Error('it takes more turns than ten')
}

/** How many namespaces each listing had, and whether it was stale. */
const shown = (): unknown[] =>
  listings.flatMap(state =>
    state.kind === 'ok' ? [`${state.value.length}${state.stale === undefined ? '' : ' stale'}`] : [],
  )

describe('a reading of more than a thousand heads', () => {
  it('takes several turns, and the first listing is whole', () => {
    rig.store.list().watch(state => listings.push(state))
    expect(turnsUntil(() => listings.at(-1)?.kind === 'ok')).toBeGreaterThanOrEqual(3)
    rig.clock.settle()
    expect(shown()).toEqual([`${count}`])
  })

  it('counts beside what is written while it is taken in, and undoes nothing of that', async () => {
    await listed()
    rig.backend.down()
    rig.backend.up()
    rig.clock.turn()
    for (const name of ['n0', `n${count - 1}`, 'new']) await rig.store.write(request(name, '/a=>/c'))
    await rig.pass(1_000)
    const last = listings.at(-1)
    expect(last).toMatchObject({ kind: 'ok' })
    const versions = last?.kind === 'ok' ? last.value.map(({ namespace, version }) => [namespace, version]) : []
    expect(versions).toHaveLength(count + 1)
    expect(versions.filter(([, version]) => version === 2).map(([namespace]) => namespace)).toEqual([
      'n0',
      `n${count - 1}`,
    ])
    expect(shown()).toEqual([`${count}`, `${count} stale`, `${count + 1}`])
  })

  it('of a backend that went back shows nothing of both, nor takes a namespace for absent meanwhile', async () => {
    const copy = rig.backend.copy()
    const { revision } = rig.backend
    for (let i = 0; i < 10; i++) await writeElsewhere(`late${i}`, '/a=>/b')
    await listed()
    rig.backend.restore(copy, revision)
    const seen: unknown[] = []
    rig.store.observe(`n${count - 1}`).watch(state => seen.push(state))
    await rig.pass(1_000)
    expect(shown()).toEqual([`${count + 10}`, `${count}`])
    expect(seen.filter(state => JSON.stringify(state).includes('"ok"'))).toMatchObject([{ value: { version: 1 } }])
  })

  it('is dropped when the watch breaks, and what comes next is whole again', async () => {
    await listed()
    const copy = rig.backend.copy()
    rig.backend.restore(copy, 1)
    rig.backend.down()
    await rig.pass(1_000)
    expect(shown()).toEqual([`${count}`, `${count} stale`])
    rig.backend.up()
    await rig.pass(1_000)
    expect(shown().slice(2)).toEqual([`${count}`])
  })
})
