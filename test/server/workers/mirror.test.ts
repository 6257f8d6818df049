import { describe, expect, it, vi } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { union } from '../../../naming/name-tree.ts'
import { awaited, failed, ok, pending, pendingOn, type State } from '../../../watch/state.ts'
import { mirrorWorld, treeOf } from './mirror.fixture.ts'

const web = { namespace: 'default', path: ['svc', 'web'] }

describe('a mirrored cell', () => {
  it('shows every state that the main thread has, and errors with their code', () => {
    const { states, mirror, settle } = mirrorWorld()
    const seen: State<object>[] = []
    mirror.interpreter.bind(web).watch(state => seen.push(state))
    const reason = new NamingError('namer-unavailable', 'away', { detail: { a: 1 } })
    const tree = treeOf(1)
    const all = [pendingOn('a'), tree, { ...tree, stale: { since: 5, reason } }, failed(reason), pending, treeOf(2)]
    for (const state of all) {
      states.set('/svc/web', state)
      settle()
    }
    expect(seen).toEqual([awaited, ...all])
    const [, , , , error] = seen
    expect(error?.kind === 'failed' && NamingError.from(error.error)).toMatchObject({
      code: 'namer-unavailable',
      detail: { a: 1 },
      retryable: true,
    })
  })

  it('keeps the identity of a value that is only fresh or stale again', () => {
    const { states, mirror, settle } = mirrorWorld()
    const values = new Set<object>()
    mirror.interpreter.bind(web).watch(state => state.kind === 'ok' && values.add(state.value))
    const tree = treeOf(1)
    for (const state of [tree, { ...tree, stale: { since: 5, reason: new Error('away') } }, tree]) {
      states.set('/svc/web', state)
      settle()
    }
    expect(values.size).toBe(1)
  })

  it('keeps infinite weights, and the wildcards of rules', () => {
    const { states, mirror, settle } = mirrorWorld()
    const seen: unknown[] = []
    const tree = union([{ weight: Number.POSITIVE_INFINITY, tree: { kind: 'neg' } }])
    const snapshot = { exists: true, version: 7, dtab: [{ prefix: ['svc', null], dst: tree }], hash: 'h' }
    states.set('/svc/web', ok(tree))
    states.set('ns default', ok({ ...snapshot, compiled: 'not told' }))
    mirror.interpreter.bind(web).watch(state => seen.push(state))
    mirror.interpreter.namespace('default').watch(state => seen.push(state))
    settle()
    expect(seen.slice(2)).toEqual([ok(tree), ok(snapshot)])
  })

  it('may be of any depth', () => {
    const { states, mirror, settle } = mirrorWorld()
    let deep: object = { kind: 'union', branches: [{ weight: Number.POSITIVE_INFINITY, tree: { kind: 'neg' } }] }
    for (let depth = 0; depth < 10_000; depth++) deep = { kind: 'alt', trees: [deep] }
    states.set('/svc/web', ok(deep))
    const seen: unknown[] = []
    mirror.interpreter.bind(web).watch(state => seen.push(state.kind))
    settle()
    expect(seen).toEqual(['pending', 'ok'])
  })
})

describe('the upstream watch', () => {
  it('is one for all streams of a thread, and ends with the last of them (P7)', () => {
    const { kernel, threadKernel, clock, toMain, mirror, origin, settle } = mirrorWorld()
    const ends = Array.from({ length: 20 }, () => mirror.interpreter.bind(web).watch(() => {}))
    settle()
    expect([origin.size, kernel.counts().watchers]).toEqual([1, 1])
    for (const end of ends) end()
    settle()
    const counts = [origin.size, mirror.size, kernel.counts().watchers, kernel.counts().cells]
    expect([counts, threadKernel.counts().cells, clock.waiting]).toEqual([[0, 0, 0, 0], 0, 0])
    expect(toMain.sent).toEqual([])
  })

  it('is given up with all others when the thread ends', () => {
    const { kernel, mirror, origin, settle } = mirrorWorld()
    mirror.interpreter.bind(web).watch(() => {})
    mirror.version('default').watch(() => {})
    settle()
    origin.close()
    expect(kernel.counts().watchers).toBe(0)
  })
})

it('has no queue for a thread that does not read: two texts on the way, then the newest state of each name', () => {
  const { clock, states, toThread, mirror, settle } = mirrorWorld()
  const seen: State<object>[] = []
  const names = Array.from({ length: 3 }, (_, i) => ({ namespace: 'default', path: [`n${i}`] }))
  for (const name of names) mirror.interpreter.bind(name).watch(state => seen.push(state))
  settle()
  seen.length = 0
  for (let version = 1; version <= 50; version++) {
    for (const { path } of names) states.set(`/${path}`, treeOf(version))
    clock.settle()
  }
  expect(toThread.sent.length).toBe(2)
  settle()
  expect(seen.map(state => JSON.stringify(state).match(/web-\d+/)?.[0])).toEqual([
    ...['web-2', 'web-2', 'web-2'],
    ...['web-50', 'web-50', 'web-50'],
  ])
})

it('has few large states in a text, for each is written and read at one go', () => {
  const { states, toThread, mirror, settle } = mirrorWorld()
  const post = vi.spyOn(toThread, 'post')
  const shown = new Map<string, string>()
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    states.set(`/${name}`, ok({ kind: 'leaf', value: 'x'.repeat(200_000) }))
    mirror.interpreter.bind({ namespace: 'default', path: [name] }).watch(({ kind }) => shown.set(name, kind))
  }
  settle()
  expect([...shown.values()]).toEqual(Array(5).fill('ok'))
  expect(Math.max(...post.mock.calls.map(([text]) => text.length))).toBeLessThan(500_000)
})

it('tells how old a change is by the clock of the main thread', () => {
  const { clock, states, toThread, mirror, settle } = mirrorWorld()
  const ages: number[] = []
  mirror.interpreter.bind(web).watch(() => ages.push(clock.monotonic() - mirror.kernel.changedAt()))
  settle()
  clock.pass(1000)
  states.set('/svc/web', treeOf(1))
  clock.settle()
  clock.pass(40)
  settle()
  expect([ages, toThread.sent]).toEqual([[0, 0, 40], []])
})

describe('versions', () => {
  it('are told as the main thread tells them, and whole when it is', () => {
    const { told, mirror, settle } = mirrorWorld()
    const changes: string[][] = []
    mirror.told.watch(changed => changes.push([...changed]))
    settle()
    const before = mirror.told.isWhole()
    told.takeListing([{ namespace: 'a', version: 3 } as never, { namespace: 'b', version: 1 } as never])
    settle()
    told.takeInUse('a', 4)
    told.takeListing([{ namespace: 'a', version: 4 } as never])
    settle()
    expect([before, mirror.told.isWhole(), mirror.told.of('a'), mirror.told.of('b')]).toEqual([false, true, 4, 0])
    expect([...mirror.told.namespaces()]).toEqual(['a'])
    expect(changes).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })
})
