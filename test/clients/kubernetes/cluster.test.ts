import { describe, expect, it } from 'vitest'
import { Rig } from './rig.fixture.ts'

describe('a followed collection', () => {
  it('tells the list, then each change of the watch', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    rig.put('b', 2)
    rig.put('left-out', 0)
    const followed = await rig.followOpen()
    expect([followed.objects, followed.changes]).toEqual([{ a: 1, b: 2 }, [['a', 'b']]])
    rig.put('a', 3)
    rig.remove('b')
    await followed.untilObjects({ a: 3 })
    rig.put('a', 0)
    await followed.untilObjects({})
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 0, lists: 1, watches: 1, drift: 0 })
    expect(followed.failures).toEqual([])
  })
})
