// E7: rules that lead in a circle, or ever deeper, are answered after little work, and the circle is named.
import { describe, expect, it } from 'vitest'
import { bind } from '../../interpreters/bind.ts'
import { delegate } from '../../interpreters/delegate.ts'
import { joinNamers } from '../../interpreters/namers.ts'
import { NamingError } from '../../naming/errors.ts'
import { createLookupIndex } from '../../naming/lookup-index.ts'
import { leaf } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'
import type { Read } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import { createWorld, dtabOf, pathOf, recorded } from '../interpreters/world.fixture.ts'

const namers = joinNamers([], [])
const read: Read = cell => cell.peek()

/** Counts the look-ups in the rules. */
function counted(text: string) {
  const index = createLookupIndex(dtabOf(text))
  const counter = { lookups: 0 }
  const rules = {
    dtab: index.dtab,
    lookup: (path: Path) => {
      counter.lookups++
      return index.lookup(path)
    },
    matches: (path: Path) => {
      counter.lookups++
      return index.matches(path)
    },
  }
  return { rules, counter }
}

function errorOf(state: State<unknown>): NamingError {
  if (state.kind === 'failed' && state.error instanceof NamingError) return state.error
  throw new Error(`not failed: ${state.kind}`)
}

function boundError(text: string): { readonly error: NamingError; readonly lookups: number } {
  const { rules, counter } = counted(text)
  const { state } = bind({ rules, namers, read, path: pathOf('/a') })
  return { error: errorOf(state), lookups: counter.lookups }
}

const tooDeep = 'Max recursion level: 100 reached in Namer lookup'

describe('E7: circles and depth', () => {
  it('answers a circle that fans out after a handful of look-ups, with the circle named', () => {
    const { error, lookups } = boundError('/a => /b & /b ; /b => /a & /a')
    expect(error.code).toBe('name-too-deep')
    expect(error.message).toBe(`${tooDeep}: the rules lead in a circle, /a -> /b -> /a`)
    expect(error.detail.cycle).toEqual(['/a', '/b'])
    expect(lookups).toBeLessThan(10)
  })

  it('names every member of a longer circle, reached from outside it', () => {
    const members = ['/b', '/c', '/d', '/e', '/f', '/g', '/h', '/i', '/j']
    const rules = members.map((member, i) => `${member} => ${members[i + 1] ?? '/b'}`).join(' ; ')
    const { error } = boundError(`/a => /b ; ${rules}`)
    expect(error.message).toBe(`${tooDeep}: the rules lead in a circle, ${members.join(' -> ')} -> /b`)
    expect(error.detail.cycle).toEqual(members)
  })

  it('names the rules of a circle in which the name grows and so never comes back', () => {
    const chain = boundError('/a => /b/x ; /b => /a/x').error
    expect(chain.message).toMatch(
      /^Max recursion .* in Namer lookup: \/a -> \/b\/x .*; the rules lead in a circle, \/a -> \/b -> \/a$/,
    )
    expect(chain.detail.cycle).toEqual(['/a', '/b'])
    const union = boundError('/a => /b/x & /b/y ; /b => /a/x & /a/y').error
    expect(union.message).toBe('/a needs more than 10000 look-ups; the rules lead in a circle, /a -> /b -> /a')
    expect(union.detail.cycle).toEqual(['/a', '/b'])
  })

  it('names a rule that leads to itself', () => {
    expect(boundError('/a => /a').error.message).toBe(`${tooDeep}: the rules lead in a circle, /a -> /a`)
  })

  it('shows where a name that only grows is going', () => {
    const { error, lookups } = boundError('/a => /a/x')
    expect(error.code).toBe('name-too-deep')
    expect(error.message).toMatch(/^Max recursion level: 100 reached in Namer lookup: \/a -> \/a\/x -> \/a\/x\/x -> /)
    expect(lookups).toBe(101)
  })

  it('looks each path of a growing name up once, however often it comes up', () => {
    expect(boundError('/a => /a/x & /a/x & /a/x').lookups).toBeLessThan(3_000)
  })

  it('stops at the work limit when every path is another, even if a union would drop the failure', () => {
    const { error, lookups } = boundError('/a => /a/x & /a/y & /$/nil')
    expect(error.code).toBe('evaluation-limit')
    expect(error.message).toMatch(/^\/a needs more than 10000 look-ups/)
    expect(lookups).toBe(10_000)
  })

  it('names the circle when many rules lead to each other and the work limit is reached', () => {
    const names = Array.from({ length: 14 }, (_, i) => (i === 0 ? '/a' : `/n${i}`))
    const text = names.map(name => `${name} => ${names.filter(other => other !== name).join(' & ')}`).join(' ; ')
    const { error, lookups } = boundError(text)
    expect(error.code).toBe('evaluation-limit')
    expect(error.message).toMatch(/the rules lead in a circle, \/a -> \/n1 -> \/a/)
    expect(error.detail.cycle).toEqual(['/a', '/n1'])
    expect(lookups).toBe(10_000)
  })

  it('does not mistake a name that comes up twice for a circle', () => {
    const { rules } = counted('/a => /b & /c ; /b => /d ; /c => /d ; /d => /$/nil')
    expect(bind({ rules, namers, read, path: pathOf('/a') }).state).toMatchObject({
      kind: 'ok',
      value: { kind: 'union', branches: [{ tree: { kind: 'empty' } }, { tree: { kind: 'empty' } }] },
    })
  })

  it('bounds the work of an explanation as well, and names the circle', () => {
    const { rules, counter } = counted('/a => /b & /b ; /b => /a & /a')
    const error = errorOf(delegate({ rules, namers, read, tree: leaf(pathOf('/a')) }).state)
    expect(error.code).toBe('evaluation-limit')
    expect(error.detail.cycle).toEqual(['/a', '/b'])
    expect(counter.lookups).toBe(10_000)
  })

  it('keeps no look-ups of a name that grows, for ten thousand of them would fill the memory', async () => {
    const world = createWorld()
    await world.put('default', '/svc => /svc/svc ; /short => /end')
    recorded(world.bind('/svc/web'))
    recorded(world.bind('/short'))
    world.clock.settle()
    const { evaluations } = world.kernel.counts()
    await world.put('default', '/svc => /svc/svc ; /short => /end ; /other => /end')
    world.clock.settle()
    expect(world.kernel.counts().evaluations - evaluations).toBe(1)
  })
})
