// Random changes, watches and leaves, with texts that arrive late: in the end a mirror shows what the origin has, and a version
// is never shown before every state that it led to.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { failed, ok, pending, type State } from '../../../watch/state.ts'
import { mirrorWorld, treeOf } from './mirror.fixture.ts'

const names = ['a', 'b', 'c', 'd']
const name = fc.constantFrom(...names)

const step = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('write' as const), names: fc.uniqueArray(name, { minLength: 1 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('fail' as const, 'forget' as const, 'stale' as const), name }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('watch' as const, 'leave' as const), name }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('turn' as const), arrive: fc.integer({ min: 0, max: 2 }) }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function run(steps: readonly Step[]): void {
  const world = mirrorWorld(2)
  const { clock, states, mirror, threadKernel, settle } = world
  const shown = new Map<string, State<object>>()
  const ends = new Map<string, () => void>()
  /** The version that last wrote each name. */
  const written = new Map<string, number>()
  const past: ReadonlyMap<string, number>[] = [new Map()]
  mirror.version('default').watch(state => {
    if (state.kind !== 'ok') return
    const wanted = past[state.value.version] ?? new Map()
    threadKernel.afterDelivery(() => {
      for (const [name, version] of wanted) {
        const seen = shown.get(name)
        if (seen?.kind === 'ok' && ends.has(name)) expect(versionOf(seen)).toBeGreaterThanOrEqual(version)
      }
    })
  })
  const watch = (name: string): void => {
    const cell = mirror.interpreter.bind({ namespace: 'default', path: [name] })
    ends.set(
      name,
      cell.watch(state => shown.set(name, state)),
    )
  }
  for (const name of names) watch(name)
  settle()
  for (const each of steps) {
    if (each.kind === 'write') {
      const version = past.length
      states.set('ns default', ok({ version }))
      for (const name of each.names) {
        written.set(name, version)
        states.set(`/${name}`, treeOf(version))
      }
      past.push(new Map(written))
    } else if (each.kind === 'fail') states.set(`/${each.name}`, failed(new Error('away')))
    else if (each.kind === 'forget') states.set(`/${each.name}`, pending)
    else if (each.kind === 'stale') staleNow(world, each.name)
    else if (each.kind === 'watch') {
      ends.get(each.name)?.()
      watch(each.name)
    } else if (each.kind === 'leave') {
      ends.get(each.name)?.()
      ends.delete(each.name)
    } else if (each.kind === 'turn') {
      world.toMain.deliver(each.arrive)
      world.toThread.deliver(1)
      clock.turn()
    }
  }
  settle()
  for (const name of ends.keys()) expect(shown.get(name)).toEqual(states.cell(`/${name}`).peek())
  expect([world.origin.size, mirror.size]).toEqual([ends.size + 1, ends.size + 1])
}

function staleNow({ states }: ReturnType<typeof mirrorWorld>, name: string): void {
  const state = states.cell(`/${name}`).peek()
  if (state.kind === 'ok') states.set(`/${name}`, ok(state.value, { since: 1, reason: new Error('away') }))
}

function versionOf(state: State<object>): number {
  return Number(/web-(\d+)/.exec(JSON.stringify(state))?.[1])
}

it('shows in the end what the origin has, and no version before its states', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), run), { seed: 20, numRuns: 80 })
})
