import { describe, expect, it } from 'vitest'
import type { KubernetesCluster } from '../../../clients/kubernetes/cluster.ts'
import type { Claim } from '../../../storage/claims.ts'
import { decodeClaim } from '../../../storage/configmap/claim-object.ts'
import { LeaseClaims } from '../../../storage/configmap/lease-claims.ts'
import type { PresenceRecord } from '../../../storage/store.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeKubernetesStore } from '../../fakes/kubernetes-store.fake.ts'

const path = '/apis/coordination.k8s.io/v1/namespaces/place/leases'
const ttlMs = 10_000

/** Servers on one cluster, each with a clock whose time of day is its own; `look` stands for what their watches tell. */
class Servers {
  readonly clock = new FakeClock()
  readonly #store = new FakeKubernetesStore()

  /** Of each call, how often it was made. */
  readonly calls = new Map<string, number>()

  readonly objects = this.#store.connect(async (when, call) => {
    if (when === 'before') this.calls.set(call, (this.calls.get(call) ?? 0) + 1)
  })

  connect(): LeaseClaims {
    const cluster: KubernetesCluster = {
      follow: () => () => {},
      get: () => Promise.reject(new Error('not asked for')),
      load: () => ({ collections: 0, objects: 0, lists: 0, watches: 0, drift: 0 }),
      close: () => {},
    }
    return new LeaseClaims({ cluster, objects: this.objects, clock: this.clock, kubernetesNamespace: 'place' })
  }

  claim(kind: Claim['kind'], owner: string, aheadMs = 0): Claim {
    const now = this.clock.now() + aheadMs
    return { kind, name: 'web', owner, data: owner, ttlMs, now, expiresAt: now + ttlMs, force: kind === 'presence' }
  }
}

/** Turns until all that was promised has come. */
async function settle(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    clock.settle()
    await Promise.resolve()
  }
}

describe('a lease on a Lease object', () => {
  it('is taken over when it has not changed before our eyes for its whole life, whatever the clocks say', async () => {
    const servers = new Servers()
    const [holder, taker] = [servers.connect(), servers.connect()]
    const hourMs = 3_600_000
    expect(await holder.claim(servers.claim('lease', 'holder', -hourMs))).toBe(true)
    expect(await taker.claim(servers.claim('lease', 'taker', hourMs))).toBe(false)
    servers.clock.advance(ttlMs - 1)
    expect(await taker.claim(servers.claim('lease', 'taker', hourMs))).toBe(false)
    servers.clock.advance(1)
    expect(await taker.claim(servers.claim('lease', 'taker', hourMs))).toBe(true)
    expect(await holder.claim(servers.claim('lease', 'holder', -hourMs))).toBe(false)
  })

  it('is not taken over while it is renewed', async () => {
    const servers = new Servers()
    const [holder, taker] = [servers.connect(), servers.connect()]
    for (let renewal = 0; renewal < 5; renewal++) {
      expect(await holder.claim(servers.claim('lease', 'holder'))).toBe(true)
      expect(await taker.claim(servers.claim('lease', 'taker'))).toBe(false)
      servers.clock.advance(ttlMs - 1)
    }
  })

  it('goes to one of many who find it over at once', async () => {
    const servers = new Servers()
    await servers.connect().claim(servers.claim('lease', 'holder'))
    const takers = Array.from({ length: 5 }, () => servers.connect())
    const ask = () => Promise.all(takers.map((taker, n) => taker.claim(servers.claim('lease', `taker-${n}`))))
    expect(await ask()).not.toContain(true)
    servers.clock.advance(ttlMs)
    expect((await ask()).filter(isTaken => isTaken)).toHaveLength(1)
  })
})

/** An onlooker whose watch has told of one sign of life, and tells of nothing more. */
async function seenOnce(
  servers: Servers,
): Promise<{ onlooker: LeaseClaims; at: string; ids: () => readonly string[] }> {
  const onlooker = servers.connect()
  await servers.connect().claim(servers.claim('presence', 'gone'))
  let records: readonly PresenceRecord[] = []
  onlooker.followPresence({
    changed: all => {
      records = all
    },
    failed: () => {},
  })
  const { items } = await servers.objects.listMetadata(path, { labelSelector: 'nameplane.io/claim' })
  expect(items).toHaveLength(1)
  const at = `${path}/${nameOf(items[0])}`
  const claim = decodeClaim(await servers.objects.find(at))
  if (claim === undefined) throw new Error('no claim')
  const receivedAt = servers.clock.monotonic()
  onlooker.changed(new Map([['web', claim]]), new Set(['web']), { version: '1', receivedAt })
  return { onlooker, at, ids: () => records.map(({ id }) => id) }
}

async function advance(servers: Servers, ms: number): Promise<void> {
  servers.clock.advance(ms)
  await settle(servers.clock)
}

describe('a sign of life on a Lease object', () => {
  it('is gone and removed when it was not renewed for one and a half of its lives', async () => {
    const servers = new Servers()
    const { at, ids } = await seenOnce(servers)
    await advance(servers, 1.5 * ttlMs - 1)
    expect(ids()).toEqual(['web'])
    await advance(servers, 1)
    expect(ids()).toEqual([])
    expect(await servers.objects.find(at)).toBeUndefined()
  })

  it('that was renewed unseen, the watch being away, stays, and is looked at every few seconds only', async () => {
    const servers = new Servers()
    const { at, ids } = await seenOnce(servers)
    await servers.connect().claim(servers.claim('presence', 'gone'))
    await advance(servers, 1.5 * ttlMs)
    for (let step = 0; step < 100; step++) await advance(servers, 50)
    expect(ids()).toEqual(['web'])
    expect(await servers.objects.find(at)).toBeDefined()
    expect(servers.calls.get('remove')).toBeLessThanOrEqual(2)
  })

  it('that runs out as we close leaves no timer behind', async () => {
    const servers = new Servers()
    const { onlooker } = await seenOnce(servers)
    await servers.connect().claim(servers.claim('presence', 'gone'))
    servers.clock.advance(1.5 * ttlMs)
    onlooker.close()
    await settle(servers.clock)
    expect(servers.clock.waiting).toBe(0)
  })
})

function nameOf(item: unknown): string {
  return (item as { metadata: { name: string } }).metadata.name // an object of the API
}
