// K6: a path that is dead without a word is noticed within 15 seconds, also behind a middlebox that keeps TCP
// connections up and passes no data; a watch that is silent for too long is opened anew.
import { describe, expect, it } from 'vitest'
import type { Followed } from '../clients/kubernetes/followed.fixture.ts'
import { Pod, startInPod } from '../clients/kubernetes/pod.fixture.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'
import { type Relay, startRelay } from '../fakes/relay.fixture.ts'

function portOf({ address }: Relay): number {
  return Number(address.split(':')[1])
}

/** Freezes the path, makes ten changes behind it, and heals it once the follow has noticed; gives how long that took. */
async function freezeAndHeal(rig: Rig, relay: Relay, followed: Followed): Promise<number> {
  const since = rig.clock.now()
  relay.freeze()
  for (let i = 0; i < 10; i++) rig.put(`s${i}`, 1)
  await rig.advanceUntil(() => followed.isFailing, 1_000)
  const tookMs = rig.clock.now() - since
  relay.thaw()
  await rig.untilObjects(followed, { a: 1, ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`s${i}`, 1])) })
  return tookMs
}

describe('K6: a path that died without a word', () => {
  it('is noticed over HTTP/2 by PINGs', async () => {
    const pod = await Pod.create()
    await using rig = await Rig.start({ tls: 'h2', access: () => pod.access })
    const relay = await startRelay(rig.api.port)
    pod.findServer(portOf(relay))
    rig.put('a', 1)
    const followed = await rig.followOpen()
    expect(await freezeAndHeal(rig, relay, followed)).toBeLessThanOrEqual(15_000)
    expect(followed.failures[0]?.error.message).toContain('no answer to a PING')
    expect([followed.isFailing, followed.changes.length]).toEqual([false, 2])
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 11, lists: 2, watches: 2, drift: 0 })
    relay.close()
  })

  it('is not what a busy path is, on which the answer to a PING stands behind other bytes', async () => {
    const pod = await Pod.create()
    await using rig = await Rig.start({ tls: 'h2', access: () => pod.access })
    const relay = await startRelay(rig.api.port)
    pod.findServer(portOf(relay))
    const followed = await rig.followOpen()
    relay.hold()
    for (let size = 1; size <= 4; size++) {
      rig.put('a', size)
      await relay.untilHeld(size)
    }
    rig.clock.advance(5_000)
    await relay.untilHeld(5)
    for (let size = 1; size <= 4; size++) {
      relay.release()
      await followed.untilObjects({ a: size })
      rig.clock.advance(4_000)
      await new Promise<void>(resolve => rig.clock.defer(resolve))
    }
    expect([followed.failures, rig.cluster.load().watches]).toEqual([[], 1])
    relay.close()
  })

  it('is noticed over HTTP/1.1 by watches that do not end when they should', async () => {
    const relays: Relay[] = []
    await using rig = await Rig.startBehind(async api => {
      const relay = await startRelay(api.port)
      relays.push(relay)
      return { host: '127.0.0.1', port: portOf(relay) }
    })
    const [relay] = relays
    if (relay === undefined) throw new Error('no relay')
    rig.put('a', 1)
    const followed = await rig.followOpen()
    expect(await freezeAndHeal(rig, relay, followed)).toBeLessThanOrEqual(15_000)
    expect(followed.failures[0]?.error.message).toMatch(/no answer within 13 s|silent for 13 s/)
    expect([followed.isFailing, followed.changes.length]).toEqual([false, 2])
    expect(rig.cluster.load()).toEqual({ collections: 1, objects: 11, lists: 2, watches: 2, drift: 0 })
    relay.close()
  })

  it('is noticed over HTTP/1.1 when it is the path of one watch alone', async () => {
    await using rig = await Rig.start()
    rig.api.fail({ kind: 'text', text: '', ending: 'open' }, { verb: 'watch', times: 1 })
    const lost = rig.follow()
    await rig.api.until(() => rig.api.watches === 1)
    const other = await rig.followOpen()
    const since = rig.clock.now()
    while (!lost.isFailing) {
      rig.clock.advance(1_000)
      rig.api.bookmark()
      await rig.cluster.get('/version')
    }
    expect(rig.clock.now() - since).toBeLessThanOrEqual(15_000)
    expect([rig.api.lists, other.failures]).toEqual([2, []])
    rig.put('a', 1)
    await rig.untilObjects(lost, { a: 1 })
    expect(rig.cluster.load()).toMatchObject({ lists: 3, drift: 0 })
  })

  it('is watched over HTTP/1.1 in short watches, checked by a list all the same', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    expect(rig.api.requests[1]?.parameters.get('timeoutSeconds')).toBe('10')
    rig.api.fail({ kind: 'silent' }, { verb: 'watch' })
    rig.apart(() => rig.put('a', 2))
    for (let watches = 2; rig.api.lists === 1 || followed.objects.a === 1; watches++) {
      await rig.api.until(() => rig.api.openWatches === 1)
      const { contacts } = followed
      rig.api.bookmark()
      await followed.until(() => followed.contacts > contacts)
      rig.clock.advance(9_000)
      await rig.cluster.get('/version')
      rig.api.endWatches()
      await rig.api.until(() => rig.api.watches > watches)
      expect(rig.clock.now()).toBeLessThan(1_700_000_000_000 + 400_000)
    }
    expect([followed.objects, followed.failures, rig.cluster.load().drift]).toEqual([{ a: 2 }, [], 1])
  })

  it('is left alone while it answers', async () => {
    await using rig = await startInPod()
    const followed = await rig.followOpen()
    await rig.quietly(200_000)
    expect([followed.failures, rig.api.lists, rig.api.watches]).toEqual([[], 1, 1])
    expect(followed.contacts).toBeGreaterThanOrEqual(3)
  })

  it('is taken for dead when a watch has no byte, bookmarks included, for 90 seconds', async () => {
    await using rig = await startInPod()
    const followed = await rig.followOpen()
    await rig.quietly(100_000, false)
    await rig.api.until(() => rig.api.watches === 2)
    expect([followed.failures, rig.cluster.load().lists]).toEqual([[], 2])
  })

  it('fails when the head of an answer does not come', async () => {
    await using rig = await Rig.start()
    rig.api.fail({ kind: 'hang' }, { verb: 'list', times: 1 })
    const followed = rig.follow()
    await rig.api.until(() => rig.api.lists === 1)
    await rig.quietly(32_000)
    expect(followed.failures[0]?.error.message).toContain('no answer within 30 s')
    await rig.untilObjects(followed, {})
    expect([followed.isFailing, rig.cluster.load().collections]).toEqual([false, 1])
  })
})
