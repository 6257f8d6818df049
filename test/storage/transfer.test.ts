// Export from each kind of store and import into each other one: everything comes out as it went in, gaps included.
import { afterEach, describe, expect, it } from 'vitest'
import { exportVersions } from '../../storage/export.ts'
import { type ImportOptions, type ImportResult, importNamespace } from '../../storage/import.ts'
import type { NamespaceSummary, Store, Version, WriteRequest } from '../../storage/store.ts'
import { request, type StoreFixture } from '../contract/store.contract.ts'
import { openMemoryFixture, openSharedFixture, openSqliteFixture } from './store.fixture.ts'

const openers = { memory: openMemoryFixture, sqlite: openSqliteFixture, shared: openSharedFixture }

const opened: StoreFixture[] = []
afterEach(async () => {
  for (const fixture of opened.splice(0)) await fixture.close()
})

async function open(kind: keyof typeof openers): Promise<StoreFixture> {
  const fixture = await openers[kind]()
  opened.push(fixture)
  return fixture
}

async function everything({ store, until }: StoreFixture): Promise<Version[]> {
  const list = store.list()
  const unwatch = list.watch(() => {})
  await until('a listing', () => list.peek().kind === 'ok')
  const state = list.peek()
  unwatch()
  const namespaces = state.kind === 'ok' ? state.value : []
  const versions: Version[] = []
  for await (const version of exportVersions({ store, namespaces, hasHistory: true })) versions.push(version)
  return versions
}

async function take(store: Store, versions: readonly Version[]): Promise<ImportResult[]> {
  const options: ImportOptions = { store, existing: 'refuse', isDryRun: false, by: { author: 'x', verified: false } }
  const results: ImportResult[] = []
  for (const [namespace, own] of Map.groupBy(versions, version => version.namespace))
    results.push(await importNamespace(namespace, each(own ?? []), options))
  return results
}

async function* each(versions: readonly Version[]): AsyncGenerator<Version> {
  yield* versions
}

/** many: 130 versions, of which some were dropped; old: deleted. */
async function fill({ store }: StoreFixture): Promise<void> {
  for (let i = 0; i < 130; i++) await store.write(request('many', `/a => /b${i} # ü\n`, { address: '10.0.0.1' }))
  await store.forget('many', [1, 2, 3, 100])
  await store.write(request('old', '/x => /y', { author: 'ann', message: 'why' }))
  await store.write(request('old', undefined))
}

describe('an export', () => {
  it('goes from kind to kind, all the way around, and is the same at the end', async () => {
    const first = await open('memory')
    await fill(first)
    const versions = await everything(first)
    expect(versions).toHaveLength(128)
    let from = first
    for (const kind of ['sqlite', 'shared', 'sqlite', 'memory'] as const) {
      const to = await open(kind)
      expect(await take(to.store, await everything(from))).toMatchObject([
        { namespace: 'many', outcome: 'imported', version: 130 },
        { namespace: 'old', outcome: 'imported', version: 2 },
      ])
      expect(await everything(to)).toEqual(versions)
      expect((await take(to.store, versions)).map(({ outcome }) => outcome)).toEqual(['identical', 'identical'])
      from = to
    }
    for (const { store } of opened.slice(1))
      expect((await store.write(request('old', '/again => /a'))).written.version).toBe(3)
  })

  it('ends with the newest, also when what was that is replaced and dropped while it is read', async () => {
    const { store } = await open('memory')
    for (let i = 1; i <= 30; i++) await store.write(request('busy', `/a => /b${i}`))
    const versions: Version[] = []
    const namespaces = [{ namespace: 'busy', version: 30 } as NamespaceSummary] // no more of it is read
    for await (const version of exportVersions({ store, namespaces, hasHistory: true })) {
      if (versions.length === 0) {
        await store.write(request('busy', '/a => /newest'))
        await store.forget('busy', [29, 30])
      }
      versions.push(version)
    }
    expect(versions.at(-1)).toMatchObject({ version: 31, text: '/a => /newest' })
    expect(versions.map(({ version }) => version)).toEqual([...new Set(versions.map(({ version }) => version))])
  })
})

describe('an import into a store', () => {
  it('writes its text once over what others write meanwhile', async () => {
    const { store } = await open('memory')
    await store.write(request('a', '/here => /h'))
    const versions = [{ ...(await store.write(request('from', '/new => /n'))).written, namespace: 'a' }]
    let isFirst = true
    const raced: Store = new Proxy(store, {
      get: (target, name: keyof Store) => {
        if (name !== 'write') return typeof target[name] === 'function' ? target[name].bind(target) : target[name]
        return async (write: WriteRequest) => {
          if (isFirst) await store.write(request('a', '/meanwhile => /m'))
          isFirst = false
          return store.write(write)
        }
      },
    })
    const options = { existing: 'write', isDryRun: false, by: { author: 'x', verified: false } } as const
    const both = [raced, store].map(own => importNamespace('a', each(versions), { ...options, store: own }))
    expect((await Promise.all(both)).map(({ outcome }) => outcome).sort()).toEqual(['identical', 'written'])
    expect((await store.head('a'))?.text).toBe('/new => /n')
  })

  it('leaves alone, where that is asked for, what another has made meanwhile', async () => {
    const { store } = await open('memory')
    const versions = [{ ...(await store.write(request('from', '/new => /n'))).written, namespace: 'a' }]
    async function* meanwhile(): AsyncGenerator<Version> {
      await store.write(request('a', '/meanwhile => /m'))
      yield* versions
    }
    const options = { store, existing: 'skip', isDryRun: false, by: { author: 'x', verified: false } } as const
    expect(await importNamespace('a', meanwhile(), options)).toMatchObject({ outcome: 'skipped' })
  })

  it('rejects what is no refusal, and leaves nothing behind', async () => {
    const { store } = await open('memory')
    async function* broken(): AsyncGenerator<Version> {
      yield* each([])
      throw new Error('the connection broke')
    }
    const options: ImportOptions = { store, existing: 'skip', isDryRun: false, by: { author: 'x', verified: false } }
    await expect(importNamespace('a', broken(), options)).rejects.toThrow('the connection broke')
    expect(await store.head('a')).toBeUndefined()
  })
})
