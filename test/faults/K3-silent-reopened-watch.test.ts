// K3: a watch that is opened anew may say nothing of what was before it; so nothing is expected of it.
import { describe, expect, it } from 'vitest'
import { startInPod } from '../clients/kubernetes/pod.fixture.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'

describe('K3: a server whose opened watch tells nothing of what went before', () => {
  it('is listed first, and watched from that version', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const version = rig.put('b', 1)
    rig.api.fail({ kind: 'silent' }, { verb: 'watch' })
    const followed = await rig.followOpen()
    expect(followed.objects).toEqual({ a: 1, b: 1 })
    expect(rig.api.requests.map(({ verb, parameters }) => [verb, parameters.get('resourceVersion')])).toEqual([
      ['list', null],
      ['watch', version],
    ])
  })

  it('tells what changed in the gap after a broken watch', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.api.fail({ kind: 'silent' }, { verb: 'watch' })
    rig.api.cutConnections()
    rig.put('a', 2)
    rig.put('b', 1)
    await rig.untilObjects(followed, { a: 2, b: 1 })
    await rig.api.until(() => rig.api.openWatches === 1)
    expect(followed.failures.length).toBe(1)
    expect(rig.cluster.load()).toMatchObject({ lists: 2, watches: 2, drift: 0 })
  })

  it('is found out by the slow list when it was silent although it should not have been', async () => {
    await using rig = await startInPod()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.apart(() => {
      rig.put('a', 2)
      rig.api.fail({ kind: 'silent' }, { verb: 'watch', times: 1 })
    })
    await rig.api.until(() => rig.api.openWatches === 1)
    expect(followed.objects).toEqual({ a: 1 })
    await rig.quietly(320_000)
    await followed.untilObjects({ a: 2 })
    await rig.api.until(() => rig.api.lists === 3 && rig.api.openWatches === 1)
    expect(rig.cluster.load()).toMatchObject({ drift: 1, lists: 3 })
  })
})
