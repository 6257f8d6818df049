// Embedded stores for tests: on a clock in the test's hand, in a directory that is removed afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../../runtime/env.ts'
import { silentLog } from '../../runtime/log.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { createSharedStore } from '../../storage/shared/shared-store.ts'
import { openSqliteStore } from '../../storage/sqlite/sqlite-store.ts'
import type { Store, Version } from '../../storage/store.ts'
import type { Clock } from '../../watch/clock.ts'
import { createKernel } from '../../watch/kernel.ts'
import { request, type StoreFixture } from '../contract/store.contract.ts'
import type { LeftOverFixture } from '../contract/store-left-overs.contract.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { FakeSharedBackend } from '../fakes/shared-backend.fake.ts'

const patienceMs = 60_000
const stepMs = 1_000
const longJumpMs = 10 * 60_000

/** A directory of its own; `remove` deletes it. */
export function tempDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'nameplane-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** An environment on this clock; errors of watchers fail the test that caused them. */
export function testEnv(clock: Clock): Env {
  const onError = (error: unknown): void => {
    throw error
  }
  const kernel = createKernel({ clock, onError })
  return { kernel, clock, random: () => 0.5, log: silentLog, metrics: createMetrics() }
}

/** A turn of the real event loop, so that threads and files can answer. */
export const realTurn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })

/** Turns both loops until it holds. */
export async function turnUntil(clock: FakeClock, what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    clock.settle()
    if (holds()) return
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
    await realTurn()
  }
}

export function fixtureOf(store: Store, env: Env, clock: FakeClock, remove: () => void): StoreFixture {
  /** A write that is refused, but stands in line behind everything else. */
  const barrier = (): Promise<unknown> => store.write(request('barrier', undefined)).catch(() => undefined)
  const pass = async (ms: number): Promise<void> => {
    const step = ms > longJumpMs ? ms : stepMs
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(Math.min(step, ms - passed))
      await barrier()
    }
    clock.settle()
  }
  return {
    store,
    kernel: env.kernel,
    pass,
    age: pass,
    until: (what, holds) => turnUntil(clock, what, holds),
    get waiting() {
      return clock.waiting
    },
    close: async () => {
      await store.close()
      env.kernel.close()
      remove()
    },
  }
}

export async function openMemoryFixture(): Promise<StoreFixture> {
  const clock = new FakeClock()
  const env = testEnv(clock)
  return fixtureOf(createMemoryStore({ kernel: env.kernel, clock }), env, clock, () => {})
}

export async function openSqliteFixture(): Promise<StoreFixture> {
  const clock = new FakeClock()
  const env = testEnv(clock)
  const directory = tempDirectory()
  const store = await openSqliteStore({ path: join(directory.path, 'store.db') }, env)
  return fixtureOf(store, env, clock, directory.remove)
}

/** The store that etcd, Consul and Kubernetes have, on a backend in memory. */
export async function openSharedFixture(): Promise<LeftOverFixture> {
  const clock = new FakeClock()
  const env = testEnv(clock)
  const backend = new FakeSharedBackend(clock)
  const fixture = fixtureOf(createSharedStore(backend.connect(), env), env, clock, () => {})
  return Object.assign(fixture, { leaveOver: async (version: Version) => backend.leaveOver(version) })
}
