// The loop under every backend watch.
import { expect, test } from 'vitest'
import { runSourceLoop, type SourceLoopOptions } from '../../watch/source-loop.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { runMicrotasks } from './source-loop.fixture.ts'

type Attempt = SourceLoopOptions['attempt']

function createLoop(attempt: Attempt, random = 1) {
  const clock = new FakeClock(0)
  const waits: number[] = []
  const outer = new AbortController()
  const close = runSourceLoop({
    clock,
    random: () => random,
    signal: outer.signal,
    attempt,
    backoff: { minMs: 100, maxMs: 1000 },
    onError: (_, retryAt) => waits.push(retryAt - clock.now()),
  })
  return { clock, waits, outer, close }
}

const rejecting = (): Promise<void> => Promise.reject(new Error('down'))

test('waits grow up to the limit, and are drawn from the shortest wait up', async () => {
  for (const [random, expected] of [
    [0, [100, 100, 100, 100, 100]],
    [1, [200, 400, 800, 1000, 1000]],
  ] as const) {
    const { clock, waits, close } = createLoop(rejecting, random)
    for (let i = 0; i < 5; i++) {
      await runMicrotasks()
      clock.advance(1000)
    }
    expect(waits).toEqual(expected)
    close()
  }
})

test('a backend that asks to be left alone for longer than the wait is left alone for so long', async () => {
  const clock = new FakeClock(0)
  const waits: number[] = []
  const asked = [50, 5_000, undefined]
  const close = runSourceLoop({
    clock,
    random: () => 1,
    attempt: rejecting,
    backoff: { minMs: 100, maxMs: 1000 },
    onError: (_, retryAt) => waits.push(retryAt - clock.now()),
    askedWaitMs: () => asked[waits.length],
  })
  for (const waitMs of [200, 5_000, 800]) {
    await runMicrotasks()
    clock.advance(waitMs - 1)
    await runMicrotasks()
    clock.advance(1)
  }
  expect(waits).toEqual([200, 5_000, 800])
  close()
})

test('a success starts the waits anew, also one that fails later', async () => {
  let attempts = 0
  const { clock, waits, close } = createLoop(async (_, succeeded) => {
    attempts++
    if (attempts === 3) return
    if (attempts === 5) succeeded()
    throw new Error('down')
  })
  for (let i = 0; i < 6; i++) {
    await runMicrotasks()
    clock.advance(1000)
  }
  expect(waits).toEqual([200, 400, 200, 200, 400])
  close()
})

test('a clean end is followed by the next attempt at once', async () => {
  let attempts = 0
  const { clock, close } = createLoop(async () => {
    attempts++
  })
  await runMicrotasks()
  clock.turn()
  expect(attempts).toBe(2)
  close()
})

test('a close or an abort ends the attempt under way, and what it says then is not told', async () => {
  for (const how of ['close', 'abort'] as const) {
    const signals: AbortSignal[] = []
    const { clock, waits, outer, close } = createLoop(signal => {
      signals.push(signal)
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    if (how === 'close') close()
    else outer.abort()
    await runMicrotasks()
    clock.advance(10_000)
    expect([signals.map(signal => signal.aborted), waits, clock.waiting]).toEqual([[true], [], 0])
  }
})

test('a loop whose signal has aborted never begins', () => {
  let attempts = 0
  runSourceLoop({
    clock: new FakeClock(),
    random: () => 0,
    signal: AbortSignal.abort(),
    attempt: async () => {
      attempts++
    },
    backoff: { minMs: 1, maxMs: 1 },
    onError: () => {},
  })
  expect(attempts).toBe(0)
})
