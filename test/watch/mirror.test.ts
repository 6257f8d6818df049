import { expect, it } from 'vitest'
import type { Mirror } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { awaited, failed, ok, pending, type State } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

function world() {
  const clock = new FakeClock()
  const kernel = createKernel({ clock, onError: error => expect.fail(String(error)) })
  const events: string[] = []
  const feed = {
    opened: (mirror: Mirror<object>) => void events.push(`opened ${mirror.name}`),
    closed: (mirror: Mirror<object>) => void events.push(`closed ${mirror.name}`),
  }
  return { clock, kernel, events, mirror: kernel.mirror<object>('web', feed) }
}

it('shows any state, also pending and failed after a value, and the same value to nobody', () => {
  const { clock, mirror } = world()
  const seen: State<object>[] = []
  mirror.watch(state => seen.push(state))
  const value = { a: 1 }
  const stale = { since: 5, reason: new Error('away') }
  for (const state of [ok(value), ok(value), ok(value, stale), pending, failed(new Error('no')), ok({ ...value })]) {
    mirror.show(state)
    clock.settle()
  }
  expect(seen).toEqual([awaited, ok(value), ok(value, stale), pending, failed(new Error('no')), ok(value)])
  expect(seen[1]).toHaveProperty('value', value)
})

it('opens with its first watcher, closes a turn after the last one left, and forgets what it showed', () => {
  const { clock, kernel, events, mirror } = world()
  const first = mirror.watch(() => {})
  mirror.show(ok({}))
  const second = mirror.watch(() => {})
  first()
  second()
  const third = mirror.watch(() => {})
  clock.settle()
  expect([events, mirror.peek().kind]).toEqual([['opened web'], 'ok'])
  third()
  third()
  clock.settle()
  mirror.show(ok({}))
  expect([events, mirror.peek(), kernel.counts().cells, clock.waiting]).toEqual([
    ['opened web', 'closed web'],
    pending,
    0,
    0,
  ])
})

it('tells a patient observer nothing before its first state, and everyone else that it awaits one', () => {
  const { clock, mirror } = world()
  const [patient, other]: [State<object>[], State<object>[]] = [[], []]
  mirror.observe({ isPatient: true, deliver: state => patient.push(state) })
  mirror.observe({ deliver: state => other.push(state) })
  mirror.show(pending)
  clock.settle()
  expect([patient, other]).toEqual([[pending], [awaited, pending]])
})

it('can be read by a derivation and found in a pool', () => {
  const { clock, kernel, mirror } = world()
  const pool = kernel.pool<string, object>(
    () => mirror,
    key => key,
  )
  const seen: unknown[] = []
  const end = kernel.derive('size', read => read(pool.at('web'))).watch(state => seen.push(state.kind))
  mirror.show(ok({}))
  clock.settle()
  end()
  clock.settle()
  expect([seen, pool.size, clock.waiting]).toEqual([['pending', 'ok'], 0, 0])
})
