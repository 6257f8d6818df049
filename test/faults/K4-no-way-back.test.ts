// K4: what is older than what is known changes nothing: not an event, and not the list of a server that is behind,
// unless it stays so for long.
import { describe, expect, it } from 'vitest'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'

function event(type: string, name: string, version: string, size: number): string {
  const metadata = { name, namespace: 'prod', resourceVersion: version }
  return `${JSON.stringify({ type, object: { metadata, size } })}\n`
}

describe('K4: a server that is behind', () => {
  it('changes nothing by older events, not even for what is gone', async () => {
    await using rig = await Rig.start()
    const old = rig.put('a', 1)
    rig.put('b', 1)
    const followed = await rig.followOpen()
    rig.put('a', 2)
    rig.remove('b')
    await followed.untilObjects({ a: 2 })
    const changes = followed.changes.length
    rig.api.sendText(event('MODIFIED', 'a', old, 1) + event('DELETED', 'a', old, 1) + event('ADDED', 'b', old, 1))
    rig.put('c', 1)
    await followed.untilObjects({ a: 2, c: 1 })
    expect(followed.changes.slice(changes)).toEqual([['c']])
    expect([followed.failures, rig.cluster.load().drift]).toEqual([[], 0])
  })

  it('is not believed through 50 flips between servers: versions never go down', async () => {
    await using rig = await Rig.start()
    rig.put('a', 0.5)
    const followed = await rig.followOpen()
    for (let flip = 1; flip <= 50; flip++) {
      rig.put('a', flip)
      await followed.untilObjects({ a: flip })
      rig.api.behind = 1
      rig.api.cutConnections()
      await followed.until(() => followed.isFailing)
      rig.toNextTry(followed)
      await followed.until(() => /is behind/.test(followed.failures.at(-1)?.error.message ?? ''))
      rig.api.behind = 0
      rig.toNextTry(followed)
      await rig.api.until(() => rig.api.openWatches === 1)
    }
    const versions = followed.versions.map(Number)
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(followed.changes.length).toBe(51)
    expect(followed.isFailing).toBe(false)
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 1, lists: 101, watches: 51, drift: 0 })
  })

  it('is believed once it has stayed in the past for half a minute, as after a restored backup', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    rig.put('a', 2)
    const followed = await rig.followOpen()
    rig.api.behind = 1
    rig.api.cutConnections()
    await rig.failingFor(followed, 29_000)
    expect(followed.objects).toEqual({ a: 2 })
    await rig.untilObjects(followed, { a: 1 })
    expect(followed.isFailing).toBe(false)
    expect(rig.cluster.load()).toMatchObject({ objects: 1, drift: 0 })
  })

  it('is listed when its bookmark lies in the past', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    rig.put('a', 2)
    const followed = await rig.followOpen()
    rig.api.behind = 1
    rig.api.bookmark()
    await followed.until(() => followed.isFailing)
    expect(followed.failures[0]?.error.message).toContain('is behind')
    rig.api.behind = 0
    rig.toNextTry(followed)
    await rig.api.until(() => rig.api.openWatches === 1)
    expect([followed.objects, rig.cluster.load().lists]).toEqual([{ a: 2 }, 3])
  })
})
