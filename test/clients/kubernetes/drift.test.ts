import { describe, expect, it } from 'vitest'
import { startInPod } from './pod.fixture.ts'

describe('the slow list beside a watch', () => {
  it('is no news, and no drift, while the watch tells all', async () => {
    await using rig = await startInPod()
    for (const name of ['a', 'b', 'c']) rig.put(name, 1)
    const followed = await rig.followOpen()
    rig.put('a', 2)
    rig.remove('b')
    await followed.untilObjects({ a: 2, c: 1 })
    const changes = followed.changes.length
    await rig.quietly(320_000)
    expect(rig.cluster.load()).toMatchObject({ lists: 2, watches: 1, drift: 0 })
    expect([followed.changes.length, followed.failures, rig.checkFailures]).toEqual([changes, [], []])
  })

  it('does not take for drift what changes while it is under way', async () => {
    await using rig = await startInPod()
    for (const name of ['a', 'b']) rig.put(name, 1)
    const followed = await rig.followOpen()
    rig.api.onRequest = ({ verb }) => {
      if (verb !== 'list') return undefined
      rig.put('a', 2)
      rig.remove('b')
      rig.put('c', 1)
      return undefined
    }
    await rig.quietly(320_000)
    await followed.untilObjects({ a: 2, c: 1 })
    expect(rig.cluster.load()).toMatchObject({ lists: 2, watches: 1, drift: 0 })
  })

  it('finds a missed change and a missed delete, tells them once, and the watch begins anew', async () => {
    await using rig = await startInPod()
    for (const name of ['a', 'b', 'c']) rig.put(name, 1)
    const followed = await rig.followOpen()
    rig.apart(() => {
      rig.put('a', 2)
      rig.remove('b')
      rig.api.fail({ kind: 'silent' }, { verb: 'watch', times: 1 })
    })
    await rig.api.until(() => rig.api.openWatches === 1)
    await rig.quietly(320_000)
    await followed.untilObjects({ a: 2, c: 1 })
    await rig.api.until(() => rig.api.openWatches === 1 && rig.api.watches === 3)
    expect(followed.changes.slice(1)).toEqual([['a', 'b']])
    expect(rig.cluster.load()).toMatchObject({ objects: 2, lists: 3, watches: 3, drift: 2 })
  })

  it('says when it failed in itself, and does no harm', async () => {
    await using rig = await startInPod()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.api.fail({ kind: 'status', status: 503 }, { verb: 'list', times: 1 })
    await rig.quietly(320_000)
    expect(rig.checkFailures.map(({ message }) => message)).toEqual([expect.stringContaining('503')])
    expect([followed.failures, rig.api.openWatches, rig.cluster.load().drift]).toEqual([[], 1, 0])
  })
})
