// S6: a Consul that was restored to an older state, stands still, or was not there at the start. The store shows what is so.
import { describe, expect, it } from 'vitest'
import type { Store, Version } from '../../../storage/store.ts'
import type { State } from '../../../watch/state.ts'
import { codeOf, request } from '../../contract/store.contract.ts'
import { freePorts } from '../backend-process.fixture.ts'
import { RealConsul } from '../consul.fixture.ts'
import { freshPrefix, startStore } from '../storage/consul-store.fixture.ts'
import { untilTrue } from '../storage/store.fixture.ts'

function watch(store: Store, namespace: string): { state: State<Version | undefined> | undefined; listed: string } {
  const seen: ReturnType<typeof watch> = { state: undefined, listed: '' }
  store.observe(namespace).watch(state => {
    seen.state = state
  })
  store.list().watch(state => {
    if (state.kind === 'ok')
      seen.listed = state.value.map(({ namespace: name, version }) => `${name} ${version}`).join()
  })
  return seen
}

const isFresh = (state: State<Version | undefined> | undefined, text: string | undefined): boolean =>
  state?.kind === 'ok' && state.stale === undefined && state.value?.text === text

describe.concurrent('S6: the store on a Consul', () => {
  it('that was restored to an older state shows that state, and goes on from there', async () => {
    await using consul = await RealConsul.start()
    await using server = await startStore({ port: consul.port, pathPrefix: freshPrefix() })
    const { store } = server
    await store.write(request('web', '/v => /1'))
    const snapshot = await consul.api.saveSnapshot()
    await store.write(request('web', '/v => /2'))
    await store.write(request('web', '/v => /3'))
    await store.write(request('later', '/v => /1'))
    const seen = watch(store, 'web')
    const later = watch(store, 'later')
    await untilTrue('the newest', () => isFresh(seen.state, '/v => /3') && isFresh(later.state, '/v => /1'))
    await consul.api.restoreSnapshot(snapshot)
    await untilTrue('the restored version', () => isFresh(seen.state, '/v => /1'))
    await untilTrue('what was not yet there', () => isFresh(later.state, undefined))
    await untilTrue('the list', () => seen.listed === 'web 1')
    expect(await store.history('web', { limit: 10 })).toHaveLength(1)
    const { written } = await store.write(request('web', '/v => /4'))
    expect(written.version).toBe(2)
    await untilTrue('the next version', () => isFresh(seen.state, '/v => /4'))
  })

  it('that stands still answers within seconds that it does not, and shows what came meanwhile', async () => {
    await using consul = await RealConsul.start()
    await using server = await startStore({ port: consul.port, pathPrefix: freshPrefix() })
    const { store } = server
    await store.write(request('web', '/v => /1'))
    const seen = watch(store, 'web')
    await untilTrue('the first', () => isFresh(seen.state, '/v => /1'))
    consul.freeze()
    expect(await codeOf(store.write(request('web', '/v => /2')))).toBe('store-unavailable')
    await untilTrue('a stale value', () => seen.state?.kind === 'ok' && seen.state.stale !== undefined)
    consul.resume()
    const { written } = await store.write(request('web', '/v => /3'))
    await untilTrue('the truth', () => isFresh(seen.state, '/v => /3'))
    expect(await store.head('web')).toEqual(written)
  })

  it('that starts after it is pending or failed, and heals by itself', async () => {
    const [port = 0] = await freePorts(1)
    await using server = await startStore({ port, pathPrefix: freshPrefix() })
    const { store } = server
    const seen = watch(store, 'web')
    expect(await codeOf(store.head('web'))).toBe('store-unavailable')
    await untilTrue('a failure', () => seen.state?.kind === 'failed')
    await using consul = await RealConsul.start({ port })
    await untilTrue('an answer', () => isFresh(seen.state, undefined))
    await store.write(request('web', '/v => /1'))
    await untilTrue('the first', () => isFresh(seen.state, '/v => /1'))
    expect(consul.port).toBe(port)
  })
})
