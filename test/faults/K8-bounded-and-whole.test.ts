// K8: an outage costs the API server few requests and us no sockets; no delete is missed, no bad line is passed over,
// and nothing is held that is not used.
import { describe, expect, it } from 'vitest'
import { type Followed, slices } from '../clients/kubernetes/followed.fixture.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'

describe('K8: what the usual client gets wrong', () => {
  it('asks at most once for each step of the back-off in an outage of a minute', async () => {
    await using rig = await Rig.start()
    const all: Followed[] = []
    for (let i = 0; i < 5; i++) all.push(await rig.followOpen())
    const before = rig.api.requests.length
    rig.api.fail({ kind: 'cut' })
    rig.api.cutConnections()
    for (const followed of all) await followed.until(() => followed.isFailing)
    for (const until = rig.clock.now() + 60_000; rig.clock.now() < until; ) {
      rig.clock.advance(2_500)
      for (const followed of all) await followed.until(() => nextTry(followed) > rig.clock.now())
    }
    const failures = all.reduce((sum, followed) => sum + followed.failures.length, 0)
    expect(rig.api.requests.length - before).toBeLessThanOrEqual(failures)
    expect(failures).toBeLessThanOrEqual(5 * 30)
    rig.api.heal()
    for (const followed of all) await rig.untilObjects(followed, {})
    expect(rig.cluster.load()).toMatchObject({ collections: 5, drift: 0 })
  })

  it('has as many sockets after 100 flaps as before, and none once it is closed', async () => {
    await using rig = await Rig.start()
    const all: Followed[] = []
    for (let i = 0; i < 10; i++) all.push(await rig.followOpen())
    expect(rig.api.sockets).toBe(10)
    for (let flap = 1; flap <= 10; flap++) {
      rig.api.cutConnections()
      await rig.api.until(() => rig.api.sockets === 0)
      for (const followed of all) await followed.until(() => followed.isFailing)
      for (const followed of all) rig.toNextTry(followed)
      await rig.api.until(() => rig.api.openWatches === 10)
    }
    await rig.api.until(() => rig.api.sockets === 10)
    expect(rig.cluster.load()).toMatchObject({ collections: 10, drift: 0 })
    expect(rig.api.requests.length).toBe(rig.cluster.load().lists + rig.cluster.load().watches)
    rig.cluster.close()
    await rig.api.until(() => rig.api.sockets === 0)
    expect(rig.clock.waiting).toBe(0)
  })

  it('does not keep what was removed while it was away', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    rig.put('b', 1)
    const followed = await rig.followOpen()
    await rig.api.stop()
    rig.remove('a')
    rig.api.objects.compact()
    await rig.failingFor(followed, 10_000)
    expect(followed.objects).toEqual({ a: 1, b: 1 })
    await rig.api.listen(rig.port)
    await rig.untilObjects(followed, { b: 1 })
    expect([followed.changes.at(-1), rig.cluster.load().objects]).toEqual([['a'], 1])
  })

  it('fails a collection of too many objects, keeps the last good, and heals with it', async () => {
    await using rig = await Rig.start()
    for (const name of ['a', 'b', 'c']) rig.put(name, 1)
    const followed = await rig.followOpen({ maxObjects: 3 })
    rig.put('d', 1)
    await followed.until(() => followed.isFailing)
    expect(followed.failures[0]?.error.message).toContain('more than 3 objects')
    expect(followed.objects).toEqual({ a: 1, b: 1, c: 1 })
    await rig.failingFor(followed, 10_000)
    expect(rig.cluster.load().objects).toBe(3)
    rig.remove('a')
    await rig.untilObjects(followed, { b: 1, c: 1, d: 1 })
    expect(followed.changes.at(-1)).toEqual(['a', 'd'])
  })

  it('tells all that came in one turn at once, and much in several turns', async () => {
    await using rig = await Rig.start()
    const followed = await rig.followOpen()
    for (let i = 0; i < 100; i++) rig.put(`s${i}`, 1)
    await followed.until(() => Object.keys(followed.objects).length === 100)
    expect(followed.changes.length).toBeLessThanOrEqual(3)
    for (let i = 0; i < 5_000; i++) rig.put(`t${i}`, 1)
    await followed.until(() => Object.keys(followed.objects).length === 5_100)
    expect(Math.max(...followed.changes.map(names => names.length))).toBeLessThanOrEqual(512)
    expect([followed.failures, rig.cluster.load().objects]).toEqual([[], 5_100])
  })

  it('lists in pages, and keeps of each object only what it was asked to', async () => {
    await using rig = await Rig.start()
    for (let i = 0; i < 450; i++) rig.put(`s${i}`, i % 2)
    const seen: unknown[] = []
    const followed = await rig.followOpen({
      strip: object => {
        seen.push(object)
        return slices.strip(object)
      },
    })
    expect([seen.length, Object.keys(followed.objects).length, followed.changes.length]).toEqual([450, 225, 1])
    expect(rig.api.lists).toBeGreaterThanOrEqual(2)
    expect(rig.cluster.load().objects).toBe(225)
  })

  it('tells all again after a follower that threw', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    followed.throwOnce = new Error('a bug in the follower')
    rig.put('b', 1)
    await followed.until(() => followed.isFailing)
    await rig.untilObjects(followed, { a: 1, b: 1 })
    expect(followed.changes.at(-1)).toEqual(['a', 'b'])
    expect(rig.cluster.load()).toMatchObject({ lists: 2, drift: 0 })
  })
})

function nextTry(followed: Followed): number {
  return followed.failures.at(-1)?.retryAt ?? 0
}
