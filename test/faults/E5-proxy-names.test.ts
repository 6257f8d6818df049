import { describe, expect, it } from 'vitest'
import { noSuchReplicas } from '../../naming/replica-set.ts'
import { endpointAt, leafOf } from '../proxy-client/naming.fake.ts'
import { errorOf, keepAliveAgent, send, startNamed, startTestProxy } from '../proxy-client/proxy.fixture.ts'

const cap = 50
const bindingCache = { paths: cap, clients: cap, idleTtlSecs: 600 }
const known = Array.from({ length: 20 }, (_, i) => `known-${i}`)
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('E5: names without end', () => {
  it('leave nothing behind but what the caps allow, and known names are served from what is known', async () => {
    const { naming, kernel, port, adminPort } = await startTestProxy({ router: { bindingCache } })
    const agent = keepAliveAgent(8)
    const upstream = await startNamed('served')
    const bindTo = (name: string, id: string): void => naming.route(`/svc/${name}`, id, [endpointAt(upstream.port)])
    for (const name of known) bindTo(name, `/#/fs/${name}`)
    const get = async (host: string): Promise<number> => (await send(port, { host, agent })).status
    const all = async (hosts: readonly string[]): Promise<Set<number>> => new Set(await Promise.all(hosts.map(get)))
    for (let twice = 0; twice < 2; twice++) expect(await all(known)).toEqual(new Set([200]))
    const asked = naming.asked.length

    for (let wave = 0; wave < 8; wave++) {
      // Every other stranger has a cluster of its own, so that clients come and go too.
      const strangers = range(40).map(i => `stranger-${wave}-${i}`)
      for (const [i, name] of strangers.entries())
        if (i % 2 === 0) bindTo(name, `/#/fs/${name}`)
        else naming.tree(`/svc/${name}`).set({ kind: 'neg' })
      expect(await all(strangers)).toEqual(new Set([200, 502]))
      expect(await all(known.slice(0, 10))).toEqual(new Set([200]))
    }
    expect(await all(known)).toEqual(new Set([200]))
    const askedAgain = naming.asked.slice(asked).filter(name => name.includes('known'))
    expect(askedAgain).toEqual([])
    // A binding and its client each watch one cell.
    expect(kernel.counts().watchers).toBeLessThanOrEqual(3 * cap)
    const state = await (await fetch(`http://127.0.0.1:${adminPort}/state`)).text()
    expect(state.match(/"path": /g)?.length).toBeLessThanOrEqual(cap)
    const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
    expect(metrics.split('\n').length).toBeLessThan(40 * 3 * cap)
  })

  it('that wait all at once are refused with what is wrong, and those that are known go on', async () => {
    const { naming, port } = await startTestProxy({ router: { bindingCache } })
    const upstream = await startNamed('served')
    naming.replicaSet('/#/fs/gone').set(noSuchReplicas)
    naming.route('/svc/web', '/#/fs/web', [endpointAt(upstream.port)])
    const web = { host: 'web', agent: keepAliveAgent(1) }
    for (let twice = 0; twice < 2; twice++) expect((await send(port, web)).status).toBe(200)
    const agent = keepAliveAgent(2 * cap)
    const waiting = range(cap - 1).map(i => send(port, { host: `new-${i}`, agent }))
    await expect.poll(() => naming.asked.filter(name => name.includes('new-')).length).toBe(cap - 1)
    const refused = await send(port, { host: 'one-too-many', agent })
    expect([refused.status, errorOf(refused)]).toEqual([503, expect.stringContaining('too many new names')])
    expect((await send(port, web)).status).toBe(200)
    for (const i of range(cap - 1)) naming.tree(`/svc/new-${i}`).set(leafOf('/#/fs/gone'))
    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([502]))
    naming.tree('/svc/one-too-many').set(leafOf('/#/fs/web'))
    expect((await send(port, { host: 'one-too-many', agent })).status).toBe(200)
  })
})
