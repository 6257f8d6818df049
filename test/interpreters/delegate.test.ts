// Explanations: what the oracle vectors leave open, namely limits, waiting, sharing and freshness.
import { describe, expect, it } from 'vitest'
import type { DelegateTree } from '../../interpreters/interpreter.ts'
import { leaf } from '../../naming/name-tree.ts'
import { parseNameTree } from '../../naming/parse.ts'
import { showPath } from '../../naming/path.ts'
import { orThrow } from '../../naming/result.ts'
import type { State } from '../../watch/state.ts'
import { createWorld, dtabOf, pathOf, type World } from './world.fixture.ts'

function explained(world: World, path: string, local?: string): State<DelegateTree>[] {
  const seen: State<DelegateTree>[] = []
  const tree = leaf(pathOf(path))
  const request = { namespace: 'default', tree, ...(local !== undefined && { local: dtabOf(local) }) }
  world.interpreter.delegate(request).watch(state => seen.push(state))
  return seen
}

describe('an explanation', () => {
  it('follows the dtab, but only where it looked', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test')
    const seen = explained(world, '/svc/web')
    const { evaluations } = world.kernel.counts()
    await world.put('default', '/svc => /#/io.test ; /other => /x')
    world.clock.settle()
    expect(world.kernel.counts().evaluations).toBe(evaluations)
    await world.put('default', '/svc => /#/io.test/v2')
    world.clock.settle()
    const ids = seen.map(state =>
      state.kind === 'ok' && state.value.kind === 'delegate' && state.value.tree.kind === 'leaf'
        ? showPath(state.value.tree.id)
        : state.kind,
    )
    expect(ids).toEqual(['/#/io.test/web', '/#/io.test/v2'])
  })

  it('needs no namespace', () => {
    const world = createWorld()
    const cell = world.interpreter.delegate({ tree: leaf(pathOf('/a')), local: dtabOf('/a => /$/nil') })
    const seen: unknown[] = []
    cell.watch(state => seen.push(state))
    expect(seen).toMatchObject([{ kind: 'ok', value: { kind: 'delegate', tree: { kind: 'empty' } } }])
  })

  it('explains a whole tree, each part in its place', () => {
    const world = createWorld()
    const tree = orThrow(parseNameTree('/#/io.test/x | 0.5*/#/io.two & /#/io.test/throw'))
    const seen: State<DelegateTree>[] = []
    world.interpreter.delegate({ tree }).watch(state => seen.push(state))
    expect(seen).toMatchObject([
      {
        kind: 'ok',
        value: {
          kind: 'alt',
          path: [],
          trees: [
            { kind: 'leaf', id: ['#', 'io.test', 'x'] },
            { kind: 'union', branches: [{ weight: 0.5, tree: { kind: 'neg' } }, { tree: { kind: 'exception' } }] },
          ],
        },
      },
    ])
  })

  it('is kept for a while when nobody watches any more, unless it is very large', async () => {
    const world = createWorld()
    const alternatives = (count: number): string => new Array(count).fill('$').join(' | ')
    await world.put('default', `/few => ${alternatives(10)} ; /many => ${alternatives(1_100)}`)
    /** Evaluations that it takes to ask once. */
    const ask = (name: string): number => {
      const { evaluations } = world.kernel.counts()
      const seen: State<DelegateTree>[] = []
      world.interpreter.delegate({ namespace: 'default', tree: leaf(pathOf(name)) }).watch(state => seen.push(state))()
      world.clock.settle()
      expect(seen.map(state => state.kind)).toEqual(['ok'])
      return world.kernel.counts().evaluations - evaluations
    }
    expect([ask('/few'), ask('/few')]).toEqual([2, 1])
    expect([ask('/many'), ask('/many')]).toEqual([3, 2])
    const seen = explained(world, '/many')
    await world.put('default', '/many => /#/io.test/now')
    world.clock.settle()
    expect(seen.map(state => state.kind === 'ok' && state.value.kind)).toEqual(['alt', 'delegate'])
  })

  it('waits for a pending alternative and names it', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /#/io.test/x | /#/io.test/pending')
    expect(explained(world, '/svc')).toEqual([{ kind: 'pending', waitingFor: '/#/io.test/pending' }])
  })

  it('fails when a chain is too deep, and names the circle', async () => {
    const world = createWorld()
    await world.put('default', '/a => /b/x ; /b => /a')
    const message = 'Max recursion level reached. The rules lead in a circle, /a -> /b -> /a.'
    expect(explained(world, '/a')).toMatchObject([{ kind: 'failed', error: { code: 'name-too-deep', message } }])
  })

  it('has an exception where one alternative is too deep, and goes on with the next', async () => {
    const world = createWorld()
    await world.put('default', '/a => /b | /#/io.test/x ; /b => /b')
    expect(explained(world, '/a')).toMatchObject([
      { kind: 'ok', value: { trees: [{ message: 'Max recursion level reached.' }, { kind: 'leaf' }] } },
    ])
  })
})
