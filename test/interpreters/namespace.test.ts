// What evaluation sees of a namespace while its stored text comes, goes, breaks and grows.
import { describe, expect, it } from 'vitest'
import { compileEntries } from '../../interpreters/compile-dtab.ts'
import type { NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import { createNamespaceCells } from '../../interpreters/namespace-cells.ts'
import { dtabHash } from '../../naming/dtab-hash.ts'
import type { Version } from '../../storage/store.ts'
import { createKernel } from '../../watch/kernel.ts'
import type { State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { createWorld, dtabOf, recorded, type World } from './world.fixture.ts'

function observed(world: World): State<NamespaceSnapshot>[] {
  const seen: State<NamespaceSnapshot>[] = []
  world.interpreter.namespace('default').watch(state => seen.push(state))
  return seen
}

const firstVersion: Version = {
  namespace: 'default',
  version: 1,
  text: '/svc => /#/io.test',
  meta: { author: 'test', verified: false, message: '', time: 0, parent: 0 },
}

function summary(state: State<NamespaceSnapshot> | undefined): unknown {
  if (state?.kind !== 'ok') return state?.kind
  const { exists, version, dtab } = state.value
  return { exists, version, entries: dtab.length, stale: state.stale?.reason.message }
}

describe('a namespace', () => {
  it('shows existence, version, entries and hash', async () => {
    const world = createWorld()
    const seen = observed(world)
    await world.put('default', '/svc => /#/io.test ; # comment')
    world.clock.settle()
    await world.put('default')
    world.clock.settle()
    expect(seen.map(summary)).toEqual([
      { exists: false, version: 0, entries: 0, stale: undefined },
      { exists: true, version: 1, entries: 1, stale: undefined },
      { exists: false, version: 2, entries: 0, stale: undefined },
    ])
    const created = seen[1]
    expect(created?.kind === 'ok' && created.value.hash).toBe(dtabHash(dtabOf('/svc=>/#/io.test')))
  })

  it('delivers each version, also when the entries are equal', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = observed(world)
    await world.put('default', '/svc => /#/io.test')
    world.clock.settle()
    expect(seen.map(summary)).toMatchObject([{ version: 1 }, { version: 2 }])
  })

  it('keeps the last good text when a new one does not parse, stale with the place of the fault', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = observed(world)
    const names = recorded(world.bind('/svc/web'))
    await world.put('default', '/svc => /#/io.test ;\n/b => [')
    world.clock.settle()
    const last = seen.at(-1)
    expect(summary(last)).toMatchObject({ exists: true, version: 1, entries: 1 })
    const reason = last?.kind === 'ok' ? last.stale?.reason : undefined
    expect(reason).toMatchObject({ code: 'bad-dtab', detail: { version: 2, position: { line: 2, column: 7 } } })
    expect(names).toEqual(['/#/io.test/web', '/#/io.test/web (stale)'])
    await world.put('default', '/svc => /#/io.test ;\n/b => /c')
    world.clock.settle()
    expect(summary(seen.at(-1))).toMatchObject({ version: 3, stale: undefined })
    expect(names.at(-1)).toBe('/#/io.test/web')
  })

  it('is failed when its only text does not parse', async () => {
    const world = createWorld()
    await world.put('default', 'svc => /a')
    const seen = observed(world)
    expect(seen).toMatchObject([{ kind: 'failed', error: { code: 'bad-dtab', detail: { namespace: 'default' } } }])
    expect(recorded(world.bind('/svc/web'))[0]).toMatch(/^failed: version 1 of namespace default does not parse: /)
  })

  it('keeps the old value while a large text is compiled in slices, and drops a compilation that is overtaken', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test/small')
    const seen = observed(world)
    const names = recorded(world.bind('/svc/web'))
    const large = (name: string): string =>
      `${Array.from({ length: 20_000 }, (_, i) => `/x/y-${i} => /#/io.test/z-${i} ;\n`).join('')}/svc => /#/io.test/${name}`
    await world.put('default', large('overtaken'))
    world.clock.turn()
    await world.put('default', large('large'))
    world.clock.turn()
    expect(seen.map(summary)).toMatchObject([{ version: 1 }])
    world.clock.settle()
    expect(seen.map(summary)).toMatchObject([{ version: 1 }, { version: 3, entries: 20_001 }])
    expect(names).toEqual(['/#/io.test/small,/web', '/#/io.test/large,/web'])
  })

  it('has been stale since the store began to fail, whatever it says of it later', () => {
    const clock = new FakeClock()
    const events: string[] = []
    const kernel = createKernel({
      clock,
      onError: error => {
        throw error
      },
      onSource: event => {
        if (event.source === 'dtab default') events.push(event.kind)
      },
    })
    const head = kernel.input<Version | undefined>('head', { initial: firstVersion })
    const namespace = createNamespaceCells({
      store: { observe: () => head },
      kernel,
      clock,
      none: compileEntries([]),
    })('default')
    const stale: unknown[] = []
    namespace.watch(state => stale.push(state.kind === 'ok' && state.stale))
    const failedAt = clock.now()
    for (const reason of ['locked', 'still locked', 'disk gone']) {
      head.fail(new Error(reason))
      clock.advance(1_000)
    }
    expect(stale).toMatchObject([
      undefined,
      ...['locked', 'still locked', 'disk gone'].map(message => ({ since: failedAt, reason: { message } })),
    ])
    head.set(firstVersion)
    clock.settle()
    expect(stale.at(-1)).toBeUndefined()
    expect(events).toEqual(['opened', 'failed', 'failed-again', 'failed-again', 'recovered'])
    kernel.close()
  })

  it('goes by another text under the same number, as a store that was restored from a copy may have it', () => {
    const clock = new FakeClock()
    const errors: unknown[] = []
    const kernel = createKernel({ clock, onError: error => errors.push(error) })
    const head = kernel.input<Version | undefined>('head', { initial: firstVersion })
    const namespace = createNamespaceCells({ store: { observe: () => head }, kernel, clock, none: compileEntries([]) })
    const seen: State<NamespaceSnapshot>[] = []
    namespace('default').watch(state => seen.push(state))
    head.set({ ...firstVersion, text: '/svc => /#/io.test; /a => /b' })
    clock.settle()
    head.set({ ...firstVersion, text: '/svc => /#/io.test; /a => /b' })
    clock.settle()
    expect(seen.map(summary)).toMatchObject([
      { version: 1, entries: 1 },
      { version: 1, entries: 2 },
    ])
    expect(errors).toEqual([])
    kernel.close()
  })

  it('shares one observation of the store among all names', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    for (let i = 0; i < 50; i++) recorded(world.bind(`/svc/web-${i}`))
    expect(world.kernel.sources().filter(source => source.name === 'dtab default')).toHaveLength(1)
  })

  it('reaches the names of a long flush as soon as it is stored: an earlier version is evaluated for none of the rest', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test/a')
    const seen = Array.from({ length: 2_000 }, (_, n) => recorded(world.bind(`/svc/${n}`)))
    await world.put('default', '/svc => /#/io.test/b')
    world.clock.turn()
    const served = seen.filter(states => states.some(state => state.includes('/io.test/b'))).length
    await world.put('default', '/svc => /#/io.test/c')
    world.clock.settle()
    expect(served).toBeLessThan(seen.length)
    expect(seen.filter(states => states.some(state => state.includes('/io.test/b'))).length).toBe(served)
    expect(seen.every(states => states.at(-1)?.includes('/io.test/c'))).toBe(true)
  })
})
