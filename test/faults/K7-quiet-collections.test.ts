// K7: a collection that nobody changes is watched without a gap: each watch is followed at once by the next, from the
// version up to which all is known.
import { describe, expect, it } from 'vitest'
import { startInPod } from '../clients/kubernetes/pod.fixture.ts'

describe('K7: a quiet collection', () => {
  it('is watched again at once whenever the server ends a watch', async () => {
    await using rig = await startInPod()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    for (let watch = 2; watch <= 5; watch++) {
      await rig.quietly(60_000)
      const since = rig.clock.now()
      rig.api.endWatches()
      await rig.api.until(() => rig.api.watches === watch)
      expect(rig.clock.now()).toBe(since)
    }
    rig.put('a', 2)
    await followed.untilObjects({ a: 2 })
    expect(followed.failures).toEqual([])
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 1, lists: 1, watches: 5, drift: 0 })
  })

  it('shows an edit made between two watches in the next one, without a list', async () => {
    await using rig = await startInPod()
    const followed = await rig.followOpen()
    for (let size = 1; size <= 3; size++) {
      rig.api.bookmark()
      rig.apart(() => rig.put('a', size))
      await followed.untilObjects({ a: size })
      await rig.quietly(8_000)
    }
    expect(followed.failures).toEqual([])
    expect(rig.cluster.load()).toMatchObject({ lists: 1, watches: 4 })
  })

  it('asks for bookmarks and for an end by the server between 240 and 300 seconds', async () => {
    await using rig = await startInPod()
    await rig.followOpen()
    const { parameters } = rig.api.requests[1] ?? { parameters: new URLSearchParams() }
    expect([parameters.get('allowWatchBookmarks'), parameters.get('timeoutSeconds')]).toEqual(['true', '270'])
  })

  it('backs off from a server whose watches end as soon as they begin', async () => {
    await using rig = await startInPod()
    const followed = rig.follow()
    rig.api.fail({ kind: 'text', text: '', ending: 'end' }, { verb: 'watch' })
    await followed.until(() => followed.isFailing)
    expect(rig.api.watches).toBe(4)
    await rig.failingFor(followed, 60_000)
    expect(rig.api.watches).toBeLessThanOrEqual(40)
    rig.api.heal()
    rig.put('a', 1)
    await rig.untilObjects(followed, { a: 1 })
    expect(rig.cluster.load()).toMatchObject({ objects: 1, drift: 0 })
  })
})
