// K5: whatever an API server answers, and however it cannot be reached, the follow goes on: last good kept, the reason
// told, at most one request for each step of the back-off.
import { describe, expect, it } from 'vitest'
import { Kubeconfig } from '../clients/kubernetes/kubeconfig.fixture.ts'
import { Pod } from '../clients/kubernetes/pod.fixture.ts'
import { Rig } from '../clients/kubernetes/rig.fixture.ts'
import { fakeApiCertificate } from '../fakes/kubernetes-api.fake.ts'

describe('K5: a source that fails for a minute and heals', () => {
  it.each([401, 403, 404, 409, 410, 429, 500, 503])('by status %i', async status => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.api.fail({ kind: 'status', status })
    rig.apart(() => rig.put('b', 1))
    const before = rig.api.requests.length
    await rig.failingFor(followed, 60_000)
    expect([followed.objects, followed.changes.length, followed.isFailing]).toEqual([{ a: 1 }, 1, true])
    expect(followed.failures.every(({ error }) => error.message.includes(String(status)))).toBe(true)
    // A 410 is asked once more at once, by a list.
    const asked = rig.api.requests.length - before
    expect(asked - followed.failures.length).toBeLessThanOrEqual(status === 410 ? 3 : 0)
    expect(asked).toBeLessThanOrEqual(60)
    rig.api.heal()
    rig.toNextTry(followed)
    await followed.untilObjects({ a: 1, b: 1 })
    await rig.api.until(() => rig.api.openWatches === 1)
    expect(followed.isFailing).toBe(false)
    expect(rig.cluster.load()).toMatchObject({ collections: 1, objects: 2, drift: 0 })
  })

  it('by watches that are refused while lists are not, without a list for each', async () => {
    await using rig = await Rig.start()
    rig.put('a', 1)
    const followed = await rig.followOpen()
    rig.api.fail({ kind: 'status', status: 403 }, { verb: 'watch' })
    rig.apart(() => rig.put('b', 1))
    await rig.failingFor(followed, 60_000)
    expect([rig.api.lists, rig.api.watches - 1]).toEqual([1, followed.failures.length])
    rig.api.heal()
    await rig.untilObjects(followed, { a: 1, b: 1 })
    expect(rig.cluster.load()).toMatchObject({ lists: 1, objects: 2, drift: 0 })
  })

  it('and is left alone as long as it asks for', async () => {
    await using rig = await Rig.start()
    rig.api.fail({ kind: 'status', status: 429, retryAfterSeconds: 7 })
    const followed = rig.follow()
    await rig.failingFor(followed, 60_000)
    expect(rig.api.requests.length).toBeLessThanOrEqual(9)
    rig.api.heal()
    rig.toNextTry(followed)
    await followed.untilObjects({})
    expect([followed.changes, followed.isFailing]).toEqual([[[]], false])
  })

  it.each([
    ['by a certificate that cannot be trusted', { authority: '' }, 'certificate'],
    ['by a host that DNS does not know', { host: `${'x'.repeat(64)}.invalid` }, 'x'],
    ['by a port that nobody listens on', { port: 1 }, 'ECONNREFUSED'],
  ])('%s', async (_name, wrong: { authority?: string; host?: string; port?: number }, reason) => {
    const pod = await Pod.create()
    await using rig = await Rig.start({ tls: 'h2', access: () => pod.access })
    pod.findServer(wrong.port ?? rig.api.port, wrong.host)
    if (wrong.authority !== undefined) await pod.trust(wrong.authority)
    rig.put('a', 1)
    const followed = rig.follow()
    await rig.failingFor(followed, 30_000)
    expect(followed.failures[0]?.error.message).toContain(reason)
    pod.findServer(rig.api.port)
    await pod.trust(fakeApiCertificate)
    await rig.untilObjects(followed, { a: 1 })
    expect([followed.isFailing, followed.changes.length]).toEqual([false, 1])
    expect(rig.cluster.load()).toMatchObject({ objects: 1, drift: 0 })
  })

  it('by a kubeconfig that is not there yet', async () => {
    await using config = await Kubeconfig.create({ token: 'secret' })
    await using rig = await Rig.start({ tls: 'h2', access: () => ({ kubeconfig: config.path }) })
    const followed = rig.follow()
    await rig.failingFor(followed, 1_000)
    expect(followed.failures[0]?.error.message).toContain('ENOENT')
    await config.write(`https://127.0.0.1:${rig.api.port}`)
    await rig.untilObjects(followed, {})
    expect(rig.cluster.load()).toMatchObject({ collections: 1, objects: 0, drift: 0 })
  })
})
