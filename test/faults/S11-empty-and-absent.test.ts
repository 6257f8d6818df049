import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { storeKinds } from '../../storage/registry.ts'
import { codeOf, request, storeCases } from '../contract/store.contract.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { tempDirectory, testEnv } from '../storage/store.fixture.ts'

/** The stores that need no backend; those that do are tried on a real one, in test/real/storage. */
const configOf: Readonly<Record<string, (directory: string) => object>> = {
  memory: () => ({}),
  'io.l5d.inMemory': () => ({}),
  sqlite: directory => ({ path: join(directory, 'store.db') }),
}

describe('S11: an empty store and an absent namespace are no failures of the server', () => {
  it('is tried on every store by at least sixty cases, each with a title of its own', () => {
    expect(storeCases.length).toBeGreaterThanOrEqual(60)
    expect(new Set(storeCases.map(({ title }) => title)).size).toBe(storeCases.length)
  })

  it.each(Object.keys(configOf))('holds for %s as the configuration opens it', async name => {
    const directory = tempDirectory()
    const env = testEnv(new FakeClock())
    const kind = await storeKinds[name]?.()
    const config = kind?.config.parse(configOf[name]?.(directory.path) ?? {})
    const store = await kind?.open(config, env)
    if (store === undefined) throw new Error(`${name} did not open`)
    let listing: unknown
    store.list().watch(state => {
      listing = state
    })
    expect(listing).toEqual({ kind: 'ok', value: [] })
    expect(await codeOf(store.write(request('gone', undefined)))).toBe('dtab-not-found')
    expect((await store.write(request('web', '/a=>/b', { expect: { kind: 'absent' } }))).written.version).toBe(1)
    expect(await codeOf(store.write(request('web', '/a=>/b', { expect: { kind: 'absent' } })))).toBe('dtab-exists')
    await store.close()
    env.kernel.close()
    directory.remove()
  })
})
