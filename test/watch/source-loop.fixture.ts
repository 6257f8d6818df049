// A source loop whose attempts end, reject and throw as a script says.
import assert from 'node:assert/strict'
import { FakeClock } from '../fakes/clock.fake.ts'
import type { WatchModule } from './kernel-bench.fixture.ts'

/** Lets the promises that are ready run to their end. */
export async function runMicrotasks(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve()
}

export async function checkLoop(module: WatchModule, script: readonly string[]): Promise<void> {
  const clock = new FakeClock()
  let attempts = 0
  let failures = 0
  const close = module.runSourceLoop({
    clock,
    random: () => 0.5,
    backoff: { minMs: 10, maxMs: 100 },
    onError: () => failures++,
    attempt: () => {
      const outcome = script[attempts++ % script.length]
      if (outcome === 'throws') throw new Error('thrown')
      return outcome === 'rejects' ? Promise.reject(new Error('rejected')) : Promise.resolve()
    },
  })
  const rounds = script.length * 2
  for (let round = 1; round <= rounds; round++) {
    assert.equal(attempts, round)
    await runMicrotasks()
    clock.advance(100)
  }
  close()
  close()
  await runMicrotasks()
  clock.advance(1000)
  const failing = script.filter(outcome => outcome !== 'ends').length * 2
  assert.deepEqual([attempts, failures, clock.waiting], [rounds + 1, failing, 0])
}
