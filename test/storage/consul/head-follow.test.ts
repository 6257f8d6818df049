// What a follower of all heads is told, answer by answer.
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { followHeads } from '../../../storage/consul/head-follow.ts'
import { Layout } from '../../../storage/consul/layout.ts'
import { headRecord } from '../../../storage/consul/records.ts'
import { SightingReader } from '../../../storage/consul/sighting-reader.ts'
import type { HeadSighting } from '../../../storage/shared/shared-backend.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { turnUntil } from '../store.fixture.ts'
import { FollowedKeys } from './followed-keys.fake.ts'

const layout = new Layout('dtabs')

function record(version: number, deleted = false): string {
  const meta = { author: 'ann', verified: false, message: '', time: 1, parent: version - 1 }
  return Buffer.from(headRecord.encode({ version, deleted, bytes: 3, meta })).toString('utf8')
}

const show = ({ namespace, record: known, isOurs }: HeadSighting): string =>
  `${namespace} ${known?.version ?? '-'}${isOurs ? '' : ' outside'}`

describe('the follow of all heads in Consul', () => {
  let keys: FollowedKeys
  let clock: FakeClock
  let log: string[]
  let told: HeadSighting[]

  const until = (what: string, holds: () => boolean): Promise<void> =>
    turnUntil(clock, what, () => {
      clock.advance(10)
      return holds()
    })
  /** Everything that is under way comes to its end. */
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) {
      await new Promise(setImmediate)
      clock.advance(10)
    }
  }
  const commit = (namespace: string, version: number): void =>
    keys.set({ [layout.text(namespace)]: `/v => /${version}`, [layout.head(namespace)]: record(version) })
  const tellBoth = (): void => {
    keys.tell(layout.heads)
    keys.tell(layout.texts)
  }

  beforeEach(() => {
    keys = new FollowedKeys()
    clock = new FakeClock()
    log = []
    told = []
    const ending = new AbortController()
    onTestFinished(() => ending.abort())
    followHeads(
      {
        agent: keys.agent,
        reader: new SightingReader(keys.kv, layout),
        layout,
        parameters: {},
        clock,
        random: () => 0.5,
        follower: {
          reset: (heads, order, isRewound) => {
            told.push(...heads)
            log.push(`reset ${isRewound ? 'rewound ' : ''}${order}: ${heads.map(show).sort().join(', ')}`)
          },
          changed: heads => {
            told.push(...heads)
            log.push(heads.map(show).sort().join(', '))
          },
          contact: () => {},
          failed: error => log.push(error.message),
        },
        errorOf: error => (error instanceof Error ? error : new Error(String(error))),
      },
      ending.signal,
    )
  })

  it('begins with everything, once both questions were answered and every text was compared', async () => {
    commit('one', 1)
    keys.set({ [layout.head('gone')]: record(2, true) })
    keys.set({ [layout.text('new')]: 'by hand' })
    keys.tell(layout.heads)
    await settle()
    expect(log).toEqual([])
    keys.tell(layout.texts)
    await until('a reset', () => log.length === 1)
    expect(log).toEqual(['reset 13: gone 2, new - outside, one 1'])
  })

  it('finds an edit that hides behind a later commit of ours', async () => {
    commit('quiet', 1)
    commit('busy', 1)
    tellBoth()
    await until('a reset', () => log.length === 1)
    keys.set({ [layout.text('quiet')]: 'by hand' })
    commit('busy', 2)
    tellBoth()
    await until('the edit', () => log.length === 3)
    expect(log.slice(1)).toEqual(['busy 2', 'quiet 1 outside'])
    expect(told.at(-1)).toMatchObject({ token: '13.11', order: 14 })
  })

  it('tells an edit once, and the version that it becomes', async () => {
    commit('web', 1)
    tellBoth()
    await until('a reset', () => log.length === 1)
    keys.set({ [layout.text('web')]: 'by hand' })
    keys.tell(layout.texts)
    await until('the edit', () => log.length === 2)
    commit('other', 1)
    tellBoth()
    await settle()
    commit('web', 2)
    tellBoth()
    await until('the version', () => log.length === 4)
    await settle()
    expect(log.slice(1)).toEqual(['web 1 outside', 'other 1', 'web 2'])
  })

  it('tells a deletion from outside as newer than the head that was there', async () => {
    commit('web', 1)
    tellBoth()
    await until('a reset', () => log.length === 1)
    keys.set({ [layout.text('web')]: undefined })
    commit('other', 1)
    tellBoth()
    await until('the deletion', () => log.includes('web 1 outside'))
    expect(told.at(-1)).toMatchObject({ namespace: 'web', token: '0.11', order: 13 })
  })

  it('tells a head record that is gone, and one that cannot be read', async () => {
    commit('web', 1)
    commit('spoilt', 1)
    tellBoth()
    await until('a reset', () => log.length === 1)
    keys.set({ [layout.head('web')]: undefined, [layout.head('spoilt')]: '{}' })
    tellBoth()
    await until('both', () => log.length === 2)
    expect(log[1]).toBe('spoilt - outside, web - outside')
  })

  it('says of a state that is older that it is, though no index is missing', async () => {
    commit('web', 1)
    const restore = keys.snapshot()
    commit('web', 2)
    tellBoth()
    await until('a reset', () => log.length === 1)
    restore()
    tellBoth()
    await until('another reset', () => log.length === 2)
    expect(log[1]).toBe('reset rewound 11: web 1')
    commit('web', 2)
    tellBoth()
    await until('what comes then', () => log.length === 3)
    expect(log[2]).toBe('web 2')
  })

  it.each([layout.heads, layout.texts])('tells everything anew after a failure of the question over %s', async side => {
    commit('web', 1)
    tellBoth()
    await until('a reset', () => log.length === 1)
    keys.fail(side)
    commit('web', 2)
    keys.tell(side === layout.heads ? layout.texts : layout.heads)
    await settle()
    expect(log.slice(1)).toEqual(['no connection'])
    keys.tell(side)
    if (side === layout.texts) keys.tell(layout.heads)
    await until('another reset', () => log.length === 3)
    expect(log[2]).toBe('reset 12: web 2')
  })

  it('tells nothing that it found out while a question failed', async () => {
    commit('web', 1)
    let compare = (): void => {}
    keys.beforeCompare = () =>
      new Promise(resolve => {
        compare = resolve
      })
    tellBoth()
    await until('a comparison', () => keys.compared === 1)
    keys.fail(layout.texts)
    compare()
    await settle()
    expect(log).toEqual(['no connection'])
    keys.beforeCompare = async () => {}
    keys.tell(layout.texts)
    await until('a reset', () => log.length === 2)
  })

  it.each([false, true])(
    'rests for seconds at most after a comparison that took long (failed meanwhile: %s)',
    async fails => {
      commit('web', 1)
      if (!fails) {
        tellBoth()
        await until('a reset', () => log.length === 1)
        commit('web', 2)
      }
      keys.beforeCompare = async () => {
        clock.advance(60_000)
        if (fails) keys.fail(layout.texts)
        keys.beforeCompare = async () => {}
      }
      const before = keys.compared
      tellBoth()
      await until('a long comparison', () => keys.compared === before + 1)
      const from = clock.now()
      commit('web', 3)
      tellBoth()
      await until('another comparison', () => keys.compared === before + 2)
      expect(clock.now() - from).toBeLessThanOrEqual(fails ? 100 : 2100)
    },
  )

  it('goes on after reading failed, with a pause', async () => {
    commit('web', 1)
    keys.failure = new Error('no rights')
    tellBoth()
    await until('a failure', () => log.includes('no rights'))
    keys.failure = undefined
    await until('a reset', () => log.at(-1) === 'reset 11: web 1')
  })
})
