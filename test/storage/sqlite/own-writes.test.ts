import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Env } from '../../../runtime/env.ts'
import { headsAfter } from '../../../storage/sqlite/new-heads.ts'
import { openSqliteStore } from '../../../storage/sqlite/sqlite-store.ts'
import { type Outcome, Writer } from '../../../storage/sqlite/writer.ts'
import type { NamespaceSummary, Store, Version } from '../../../storage/store.ts'
import type { State } from '../../../watch/state.ts'
import { request } from '../../contract/store.contract.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { tempDirectory, testEnv } from '../store.fixture.ts'

const written = (namespace: string, sequence?: number): Outcome => {
  const head = { namespace, version: 1, meta: { author: '', verified: false, message: '', time: 0, parent: 0 } }
  return { kind: 'written', result: { written: head, repeated: false }, ...(sequence !== undefined && { sequence }) }
}

describe('the heads of a commit', () => {
  const refused: Outcome = { kind: 'refused', error: { code: 'internal', message: '', detail: {} } }

  it('are known where one comes right after the other, whatever was refused or repeated between them', () => {
    const outcomes = [written('a', 8), refused, written('b'), { kind: 'unsettled' } as const, written('c', 9)]
    expect(headsAfter(7, outcomes)?.map(({ head, sequence }) => [head.namespace, sequence])).toEqual([
      ['a', 8],
      ['c', 9],
    ])
  })

  it.each<readonly [string, readonly Outcome[]]>([
    ['something came before them', [written('a', 9)]],
    ['something came between them', [written('a', 8), written('b', 10)]],
    ['an import may be among them', [written('a', 8), { kind: 'done', isTaken: false }]],
    ['a row of another program was judged', [{ kind: 'settled' }]],
  ])('are to be read where %s', (_, outcomes) => {
    expect(headsAfter(7, outcomes)).toBeUndefined()
  })
})

describe('a write of our own', () => {
  let directory: ReturnType<typeof tempDirectory>
  let clock: FakeClock
  let env: Env
  let store: Store
  let other: Writer
  let head: State<Version | undefined> | undefined
  let listing: readonly NamespaceSummary[]

  beforeEach(async () => {
    directory = tempDirectory()
    const path = join(directory.path, 'store.db')
    clock = new FakeClock()
    env = testEnv(clock)
    store = await openSqliteStore({ path }, env)
    other = new Writer(path, clock.now())
    await store.write(request('web', '/a=>/b'))
    store.list().watch(state => {
      if (state.kind === 'ok') listing = state.value
    })
  })
  afterEach(async () => {
    other.close()
    await store.close()
    env.kernel.close()
    directory.remove()
  })

  const watchWeb = (): void => {
    store.observe('web').watch(state => {
      head = state
    })
  }
  const listed = (): unknown => listing.map(({ namespace, version }) => `${namespace} ${version}`)
  const writeElsewhere = (namespace: string): void => {
    other.run([{ kind: 'write', request: request(namespace, '/else=>/where') }], clock.now())
  }

  it('reaches its watchers without being read', async () => {
    watchWeb()
    const { written: made } = await store.write(request('web', '/a=>/c'))
    await store.write(request('api', '/a=>/c'))
    clock.settle()
    expect(head?.kind === 'ok' && head.value).toBe(made)
    expect(listed()).toEqual(['api 1', 'web 2'])
  })

  it('brings what another process wrote before it along', async () => {
    watchWeb()
    writeElsewhere('web')
    await store.write(request('api', '/a=>/c'))
    clock.settle()
    expect(head).toMatchObject({ value: { version: 2, text: '/else=>/where' } })
    expect(listed()).toEqual(['api 1', 'web 2'])
  })

  it('takes no watcher back behind what another process wrote after it', async () => {
    const seen: number[] = []
    const write = store.write(request('web', '/a=>/c'))
    for (let tries = 0; tries < 1_000_000 && (await store.head('web'))?.version !== 2; tries++);
    writeElsewhere('web')
    store.observe('web').watch(state => {
      if (state.kind === 'ok') seen.push(state.value?.version ?? 0)
    })
    await write
    clock.settle()
    clock.advance(200)
    expect(seen).toEqual([3])
  })
})
