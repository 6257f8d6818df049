// Sources: what /state shows of them, what is told of their lives.
import { expect, test } from 'vitest'
import type { Sink, SourceEvent } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { ok, pending } from '../../watch/state.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { collect, nothing } from './kernel-bench.fixture.ts'

function createSource() {
  const clock = new FakeClock(1000)
  const events: SourceEvent[] = []
  const sinks: Sink<number>[] = []
  const kernel = createKernel({ clock, onError: nothing, onSource: event => events.push(event) })
  const open = (sink: Sink<number>): (() => void) => {
    sinks.push(sink)
    return nothing
  }
  return { clock, kernel, events, sinks, source: kernel.source('backend', open, { lingerMs: 50 }) }
}

test('a source reports when it opened, changed, was heard from, fails and tries again', () => {
  const { clock, kernel, sinks, source } = createSource()
  const { unwatch } = collect(source)
  expect(kernel.sources()).toEqual([
    { name: 'backend', state: 'pending', running: true, openedAt: 1000, observers: 1, lingering: false },
  ])
  clock.advance(10)
  sinks[0]?.set(1)
  clock.advance(10)
  sinks[0]?.set(1)
  clock.advance(10)
  sinks[0]?.contact()
  clock.advance(10)
  sinks[0]?.fail(new Error('down'), 2000)
  unwatch()
  expect(kernel.sources()).toEqual([
    {
      name: 'backend',
      state: 'stale',
      running: true,
      openedAt: 1000,
      changedAt: 1010,
      contactAt: 1030,
      ageMs: 10,
      failingSince: 1040,
      lastError: 'down',
      retryAt: 2000,
      observers: 0,
      lingering: true,
    },
  ])
  sinks[0]?.set(2)
  expect(kernel.sources()[0]).toMatchObject({ state: 'ok', changedAt: 1040, lastError: 'down' })
  expect(kernel.sources()[0]).not.toHaveProperty('failingSince')
})

test('a source tells of its first failure, the ones after it, the recovery and the close', () => {
  const { clock, events, sinks, source } = createSource()
  const { unwatch } = collect(source)
  for (let i = 0; i < 2; i++) sinks[0]?.fail(new Error('down'))
  sinks[0]?.set(1)
  unwatch()
  clock.advance(50)
  expect(events.map(event => event.kind)).toEqual(['opened', 'failed', 'failed-again', 'recovered', 'closed'])
})

test('what a closed source is told is ignored, also when it is open again', () => {
  const { clock, sinks, source } = createSource()
  collect(source).unwatch()
  clock.advance(50)
  sinks[0]?.set(1)
  const { seen } = collect(source)
  sinks[0]?.set(2)
  clock.settle()
  sinks[1]?.set(3)
  clock.settle()
  expect(seen).toEqual([pending, ok(3)])
})

test('an open that throws is a failure of that source, which does not run', () => {
  const clock = new FakeClock()
  const errors: unknown[] = []
  const kernel = createKernel({ clock, onError: error => errors.push(error) })
  const broken = new Error('broken')
  const source = kernel.source('broken', () => {
    throw broken
  })
  const { seen, unwatch } = collect(source)
  expect(seen).toEqual([{ kind: 'failed', error: broken }])
  expect(kernel.sources()[0]).toMatchObject({ running: false, state: 'failed', lastError: 'broken' })
  unwatch()
  clock.settle()
  expect([errors, kernel.sources()]).toEqual([[broken], []])
})

test('a value that is set stale shows why and since when, is reported so, and is told of as no failure', () => {
  const { clock, kernel, events, sinks, source } = createSource()
  const { seen } = collect(source)
  const doubt = new Error('held back')
  const down = new Error('down')
  sinks[0]?.set(1)
  sinks[0]?.setStale(2, doubt)
  clock.settle()
  clock.advance(10)
  expect(kernel.sources()[0]).toMatchObject({ state: 'stale', failingSince: 1000, lastError: 'held back' })
  sinks[0]?.fail(down)
  sinks[0]?.setStale(3, down)
  clock.settle()
  sinks[0]?.set(3)
  clock.settle()
  expect(seen).toEqual([pending, ok(2, { since: 1000, reason: doubt }), ok(3, { since: 1000, reason: down }), ok(3)])
  expect(events.map(event => event.kind)).toEqual(['opened', 'failed', 'recovered'])
})

test('a contact says that the backend was heard and what it called its state: it heals nothing and tells nobody', () => {
  const { clock, kernel, events, sinks, source } = createSource()
  const { seen } = collect(source)
  const down = new Error('down')
  sinks[0]?.set(1, 'v1')
  sinks[0]?.fail(down)
  clock.advance(10)
  sinks[0]?.contact('v2')
  sinks[0]?.contact()
  clock.settle()
  expect(seen.at(-1)).toEqual(ok(1, { since: 1000, reason: down }))
  expect(kernel.sources()[0]).toMatchObject({ state: 'stale', contactAt: 1010, version: 'v2', failingSince: 1000 })
  expect(events.map(event => event.kind)).toEqual(['opened', 'failed'])
})

test('a value that is set stale before any other is shown, stale since then', () => {
  const { clock, sinks, source } = createSource()
  const { seen } = collect(source)
  const doubt = new Error('held back')
  sinks[0]?.setStale(1, doubt)
  clock.settle()
  expect(seen).toEqual([pending, ok(1, { since: 1000, reason: doubt })])
})
