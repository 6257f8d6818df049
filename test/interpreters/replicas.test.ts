// From bound ids to endpoints, and the list of known names.
import { describe, expect, it } from 'vitest'
import type { Namer } from '../../interpreters/namer.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { neg } from '../../naming/name-tree.ts'
import { noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import type { Input, Kernel } from '../../watch/cell.ts'
import { failed, ok, type State } from '../../watch/state.ts'
import { createWorld, pathOf, type World } from './world.fixture.ts'

function replicas(world: World, id: string): State<ReplicaSet>[] {
  const seen: State<ReplicaSet>[] = []
  world.interpreter.replicas(pathOf(id)).watch(state => seen.push(state))
  return seen
}

/** A namer that answers for one id, and counts how often its source is opened. */
function oneIdNamer(kernel: Kernel, name: string, known: string): Namer & { opened: number; closed: boolean } {
  const namer = {
    opened: 0,
    closed: false,
    prefix: ['#', name],
    lookup: () => ok(neg),
    replicas: (id: readonly string[]) => pool.at(id[2] ?? ''),
    names: () => names,
    close: () => {
      namer.closed = true
    },
  }
  const names = kernel.input<readonly string[][]>('names', { initial: [['#', name, known]] })
  const pool = kernel.pool<string, ReplicaSet>(
    first =>
      kernel.source(`${name}/${first}`, sink => {
        namer.opened++
        sink.set(first === known ? { kind: 'bound', endpoints: [] } : noSuchReplicas)
        return () => {}
      }),
    first => first,
  )
  return namer
}

describe('the replicas of an id', () => {
  it('are those of the namer with the prefix, one cell for whoever asks', () => {
    let namer: ReturnType<typeof oneIdNamer> | undefined
    const world = createWorld(kernel => {
      namer = oneIdNamer(kernel, 'a', 'web')
      return [namer]
    })
    for (let i = 0; i < 3; i++) expect(replicas(world, '/#/a/web')).toEqual([ok({ kind: 'bound', endpoints: [] })])
    expect(replicas(world, '/#/a/other')).toEqual([ok(noSuchReplicas)])
    expect(namer?.opened).toBe(2)
  })

  it('fall through to the next namer of the same prefix when the first knows nothing', () => {
    const world = createWorld(kernel => [oneIdNamer(kernel, 'a', 'one'), oneIdNamer(kernel, 'a', 'two')])
    expect(replicas(world, '/#/a/two')).toEqual([ok({ kind: 'bound', endpoints: [] })])
    expect(replicas(world, '/#/a/three')).toEqual([ok(noSuchReplicas)])
  })

  it('that a namer cannot give are unavailable, with its reason, whether they are bound or resolved', () => {
    const reason = new Error('no agent listens at localhost:8500')
    const world = createWorld(kernel => [
      {
        prefix: ['#', 'away'],
        lookup: () => failed(reason),
        replicas: () => kernel.derive('away', () => failed(reason)),
        close: () => {},
      },
    ])
    const unavailable = { kind: 'failed', error: { code: 'namer-unavailable', message: reason.message } }
    expect(replicas(world, '/#/away/web')).toMatchObject([unavailable])
    const bound: State<BoundTree>[] = []
    world.bind('/#/away/web').watch(state => bound.push(state))
    world.clock.settle()
    expect(bound.at(-1)).toMatchObject(unavailable)
  })

  it('are looked for without the transformers before the first # or $', () => {
    const world = createWorld(kernel => [oneIdNamer(kernel, 'a', 'web')])
    expect(replicas(world, '/%/io.l5d.port/80/#/a/web')).toEqual([ok({ kind: 'bound', endpoints: [] })])
    expect(replicas(world, '/%/io.l5d.port/80/$/nil')).toEqual([ok({ kind: 'bound', endpoints: [] })])
    expect(replicas(world, '/%/io.l5d.port/80')).toEqual([ok(noSuchReplicas)])
  })

  it.each([
    ['/$/nil', { kind: 'ok', value: { kind: 'bound', endpoints: [] } }],
    ['/$/nil/more', { kind: 'ok', value: { kind: 'bound', endpoints: [] } }],
    ['/$/fail', { kind: 'failed', error: { code: 'namer-unavailable' } }],
    [
      '/$/nope/x',
      { kind: 'failed', error: { code: 'unknown-namer', message: 'Unknown namer: nope for path: /$/nope/x' } },
    ],
    ['/$/io.buoyant.hostportPfx/p/h:80', { kind: 'ok', value: noSuchReplicas }],
    ['/#/unknown/x', { kind: 'ok', value: noSuchReplicas }],
    ['/svc/web', { kind: 'ok', value: noSuchReplicas }],
    ['/', { kind: 'ok', value: noSuchReplicas }],
    ['/$', { kind: 'ok', value: noSuchReplicas }],
  ])('%s has its fixed answer', (id, expected) => {
    expect(replicas(createWorld(), id)).toMatchObject([expected])
  })
})

describe('the bound names', () => {
  it('are those of all listing namers', () => {
    const world = createWorld(kernel => [oneIdNamer(kernel, 'a', 'one'), oneIdNamer(kernel, 'b', 'two')])
    expect(world.interpreter.boundNames().peek()).toEqual(ok([pathOf('/#/a/one'), pathOf('/#/b/two')]))
  })

  it('are none without a listing namer', () => {
    expect(createWorld().interpreter.boundNames().peek()).toEqual(ok([]))
  })

  it('leave out a namer that cannot tell, unless none can', () => {
    let silent: Input<readonly string[][]> | undefined
    const mute = (kernel: Kernel): Namer => {
      const names = kernel.input<readonly string[][]>('silent')
      silent = names
      return { ...oneIdNamer(kernel, 'c', 'x'), names: () => names }
    }
    const both = createWorld(kernel => [mute(kernel), oneIdNamer(kernel, 'a', 'one')])
    expect(both.interpreter.boundNames().peek()).toEqual(ok([pathOf('/#/a/one')]))
    const alone = createWorld(kernel => [mute(kernel)])
    silent?.fail(new Error('away'))
    expect(alone.interpreter.boundNames().peek()).toMatchObject({ kind: 'failed', error: { message: 'away' } })
  })
})

describe('closing the interpreter', () => {
  it('closes its namers', () => {
    let namer: ReturnType<typeof oneIdNamer> | undefined
    const world = createWorld(kernel => {
      namer = oneIdNamer(kernel, 'a', 'web')
      return [namer]
    })
    world.interpreter.close()
    expect(namer?.closed).toBe(true)
  })
})
