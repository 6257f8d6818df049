// S5: whatever happens to agent, token and sessions, a store asks as many questions again and again as it did before: three.
import { describe, expect, it } from 'vitest'
import { request } from '../../contract/store.contract.ts'
import { eventually } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'
import { ConsulApi } from '../consul-api.fixture.ts'
import { freshPrefix, type OpenStore, startStore } from '../storage/consul-store.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

const watchesAtRest = 3

async function openWatches({ env }: OpenStore): Promise<number> {
  const { body } = await env.metrics.expose()
  return Number(/^nameplane_storage_consul_watches_open (\d+)$/m.exec(body)?.[1])
}

interface Seen {
  /** Of the newest version; undefined while there is none. */
  text: string | undefined
  isStale: boolean
  error: string
  present: number
}

/** Watches everything that can be watched of a store, and one namespace. */
async function watchAll(server: OpenStore, namespace: string) {
  const { store } = server
  const seen: Seen = { text: undefined, isStale: false, error: '', present: 0 }
  const ends = [
    store.observe(namespace).watch(state => {
      seen.isStale = state.kind === 'ok' && state.stale !== undefined
      seen.error = state.kind === 'failed' ? state.error.message : ''
      if (state.kind === 'ok') seen.text = state.value?.text
      if (state.kind === 'ok' && state.stale !== undefined) seen.error = state.stale.reason.message
    }),
    store.list().watch(() => {}),
    store.presence().watch(state => {
      if (state.kind === 'ok') seen.present = state.value.length
    }),
  ]
  await untilTrue('the namespace', () => seen.text !== undefined)
  return { seen, stop: () => ends.forEach(end => void end()) }
}

interface Disturbance {
  readonly rounds: number
  readonly atOnce: number
  /** Told of the number of reads that were answered so far. */
  readonly onAnswer?: (answered: number) => void
}

/** Reads and short observations, as many at once as the number says; failures are what the case is about. */
async function disturb({ store }: OpenStore, namespace: string, disturbance: Disturbance): Promise<number> {
  const { rounds, atOnce, onAnswer } = disturbance
  let answered = 0
  const one = async (n: number): Promise<void> => {
    for (let i = 0; i < rounds / atOnce; i++) {
      store.observe(`${namespace}-${(n * rounds + i) % 50}`).watch(() => {})()
      const head = await store.head(namespace).catch(() => undefined)
      if (head !== undefined) {
        answered++
        onAnswer?.(answered)
      } else await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, n) => one(n)))
  return answered
}

describe.concurrent('S5: the watches of a store on Consul', () => {
  it('are three again after the agent was started anew during 10,000 reads', async () => {
    await using consul = await RealConsul.start()
    await using server = await startStore({ port: consul.port, pathPrefix: freshPrefix() })
    await server.store.write(request('web', '/a=>/b'))
    const presence = await server.store.announce('me', 'here', 10_000)
    const { seen, stop } = await watchAll(server, 'web')
    await untilTrue('my sign of life', () => seen.present === 1)
    expect(await openWatches(server)).toBe(watchesAtRest)
    let answered = 0
    const onAnswer = (count: number): void => {
      answered = count
    }
    const reads = disturb(server, 'web', { rounds: 10_000, atOnce: 50, onAnswer })
    await untilTrue('reads under way', () => answered > 200)
    await consul.kill()
    await untilTrue('a stale value', () => seen.isStale)
    expect(seen.text).toBe('/a=>/b')
    await consul.start()
    await server.store.write(request('web', '/a=>/c'))
    await untilTrue('the new truth', () => seen.text === '/a=>/c' && !seen.isStale)
    await untilTrue('a sign of life again', () => seen.present === 1)
    expect(await reads).toBeGreaterThan(0)
    expect(await openWatches(server)).toBe(watchesAtRest)
    await presence.withdraw()
    stop()
  })

  it('are three again after a token was taken away and given back, and say which rights it needs', async () => {
    const root = '5d6f0c1e-0000-4000-8000-000000000001'
    const token = '5d6f0c1e-0000-4000-8000-000000000002'
    const hcl = `acl { enabled = true default_policy = "deny" tokens { initial_management = "${root}" } }`
    await using consul = await RealConsul.start({ hcl })
    await using api = new ConsulApi(consul.port, root)
    const place = { port: consul.port, pathPrefix: freshPrefix(), token }
    const rules = (prefix: string): string =>
      `key_prefix "${prefix}/" { policy = "write" } key_prefix "nameplane/" { policy = "write" } session_prefix "" { policy = "write" }`
    await api.request('PUT', '/acl/policy', { Name: 'store', Rules: rules(place.pathPrefix) })
    const give = async (): Promise<string> => {
      const { body } = await api.request('PUT', '/acl/token', { SecretID: token, Policies: [{ Name: 'store' }] })
      return String(Object(body).AccessorID)
    }
    await using server = await startStore(place)
    await expect(server.store.head('web')).rejects.toThrow(/key_prefix "nameplane\/" \{ policy = "write" \}/)
    const accessor = await give()
    await server.store.write(request('web', '/a=>/b'))
    const presence = await server.store.announce('me', 'here', 10_000)
    const { seen, stop } = await watchAll(server, 'web')
    expect(await openWatches(server)).toBe(watchesAtRest)
    const reads = disturb(server, 'web', { rounds: 2_000, atOnce: 20 })
    await api.request('DELETE', `/acl/token/${accessor}`)
    await api.putKey(`${place.pathPrefix}/web`, '/a=>/c')
    await untilTrue('a stale value', () => seen.isStale)
    expect(seen.text).toBe('/a=>/b')
    expect(seen.error).toMatch(/session_prefix "" \{ policy = "write" \}/)
    await give()
    await untilTrue('the new truth', () => seen.text === '/a=>/c' && !seen.isStale)
    await reads
    expect(await openWatches(server)).toBe(watchesAtRest)
    await presence.withdraw()
    stop()
  })

  it('take nothing for deleted that a token may not see any more', async () => {
    const root = '5d6f0c1e-0000-4000-8000-000000000001'
    const token = '5d6f0c1e-0000-4000-8000-000000000002'
    const hcl = `acl { enabled = true default_policy = "deny" tokens { initial_management = "${root}" } }`
    await using consul = await RealConsul.start({ hcl })
    await using api = new ConsulApi(consul.port, root)
    const place = { port: consul.port, pathPrefix: freshPrefix(), token }
    const all = 'key_prefix "" { policy = "write" } session_prefix "" { policy = "write" }'
    const { body } = await api.request('PUT', '/acl/policy', { Name: 'store', Rules: all })
    const change = (rules: string): Promise<unknown> =>
      api.request('PUT', `/acl/policy/${String(Object(body).ID)}`, { Name: 'store', Rules: rules })
    await api.request('PUT', '/acl/token', { SecretID: token, Policies: [{ Name: 'store' }] })
    await using server = await startStore(place)
    await server.store.write(request('web', '/a=>/b'))
    const { seen, stop } = await watchAll(server, 'web')
    await change(`key_prefix "${place.pathPrefix}/" { policy = "write" }`)
    await api.putKey(`nameplane/${place.pathPrefix.replace('/', ':')}/heads/other`, 'wakes the question')
    await untilTrue('a stale value', () => seen.isStale)
    expect(seen.text).toBe('/a=>/b')
    await change(all)
    await untilTrue('a fresh value', () => !seen.isStale)
    expect(seen.text).toBe('/a=>/b')
    stop()
  })

  it('outlive their sessions: a sign of life and a lease are claimed again', async () => {
    await using consul = await RealConsul.start()
    await using server = await startStore({ port: consul.port, pathPrefix: freshPrefix() })
    await server.store.write(request('web', '/a=>/b'))
    const { seen, stop } = await watchAll(server, 'web')
    const lease = await server.store.lease('job', 10_000)
    await server.store.announce('me', 'here', 10_000)
    await untilTrue('my sign of life', () => seen.present === 1)
    const { body } = await consul.api.request('GET', '/session/list')
    const sessions = Array.isArray(body) ? body.map(session => String(Object(session).ID)) : []
    expect(sessions).toHaveLength(2)
    for (const session of sessions) await consul.api.request('PUT', `/session/destroy/${session}`)
    await untilTrue('no sign of life', () => seen.present === 0)
    await untilTrue('a sign of life again', () => seen.present === 1)
    await eventually('two sessions', async () => {
      const again = await consul.api.request('GET', '/session/list')
      return Array.isArray(again.body) && again.body.length === 2
    })
    expect(lease?.held.peek()).toMatchObject({ kind: 'ok', value: true })
    expect(await server.store.lease('job', 10_000)).toBeUndefined()
    expect(await openWatches(server)).toBe(watchesAtRest)
    stop()
  })
})
