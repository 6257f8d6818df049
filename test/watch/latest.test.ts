// The edges: a cell as an async iterator, and as a promise.
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { firstSettled } from '../../watch/first-settled.ts'
import { createKernel } from '../../watch/kernel.ts'
import { latest } from '../../watch/latest.ts'
import { runSourceLoop } from '../../watch/source-loop.ts'
import { failed, ok, pending } from '../../watch/state.ts'
import { createBench } from './kernel-bench.fixture.ts'

function createInput() {
  const { kernel, clock } = createBench({ createKernel, runSourceLoop })
  const abort = new AbortController()
  const listeners = (): number => getEventListeners(abort.signal, 'abort').length
  return { kernel, clock, abort, listeners, input: kernel.input<number>('input') }
}

const done = { done: true, value: undefined }

test('a slow reader gets the newest state only', async () => {
  const { clock, abort, input } = createInput()
  const states = latest(input, abort.signal)
  expect(await states.next()).toEqual({ done: false, value: pending })
  for (const value of [1, 2, 3]) {
    input.set(value)
    clock.settle()
  }
  expect(await states.next()).toEqual({ done: false, value: ok(3) })
  const waiting = states.next()
  input.set(4)
  clock.settle()
  expect(await waiting).toEqual({ done: false, value: ok(4) })
})

test('return ends a next that waits, and leaves no watch and no listener', async () => {
  const { kernel, abort, listeners, input } = createInput()
  const states = latest(input, abort.signal)
  await states.next()
  const waiting = [states.next(), states.next()]
  await states.return?.()
  expect(await Promise.all([...waiting, states.next()])).toEqual([done, done, done])
  expect([kernel.counts().watchers, listeners()]).toEqual([0, 0])
})

test('an abort ends the loop over it', async () => {
  const { kernel, clock, abort, listeners, input } = createInput()
  const seen: unknown[] = []
  input.set(1)
  for await (const state of latest(input, abort.signal)) {
    seen.push(state)
    if (seen.length === 2) abort.abort()
    input.set(2)
    clock.settle()
  }
  expect(seen).toEqual([ok(1), ok(2)])
  expect([kernel.counts().watchers, listeners()]).toEqual([0, 0])
  expect(await latest(input, abort.signal).next()).toEqual(done)
})

test('the first settled state resolves at once when there is one, else when it comes', async () => {
  const { kernel, clock, abort, listeners, input } = createInput()
  const waiting = firstSettled(input, abort.signal)
  input.fail(new Error('down'))
  clock.settle()
  expect(await waiting).toEqual(failed(new Error('down')))
  input.set(2)
  expect(await firstSettled(input, abort.signal)).toEqual(ok(2))
  expect([kernel.counts().watchers, listeners()]).toEqual([0, 0])
})

test('an abort rejects the wait for a settled state with its reason', async () => {
  const { kernel, abort, listeners, input } = createInput()
  const waiting = firstSettled(input, abort.signal)
  abort.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  await expect(firstSettled(input, abort.signal)).rejects.toThrow('gone')
  expect([kernel.counts().watchers, listeners()]).toEqual([0, 0])
})
