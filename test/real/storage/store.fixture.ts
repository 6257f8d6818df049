// A store on a real backend, for the suite that every store passes: real time, and a time of day that can be moved ahead.
import type { Env } from '../../../runtime/env.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { SharedBackend } from '../../../storage/shared/shared-backend.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import type { Store } from '../../../storage/store.ts'
import { type Clock, systemClock, systemRandom } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import type { StoreContractOptions, StoreFixture } from '../../contract/store.contract.ts'
import type { LeftOverFixture } from '../../contract/store-left-overs.contract.ts'

/** The longest that a case really waits: more than two renewals and the end of a lease of ten seconds. */
const longestPassMs = 22_000
const patienceMs = 20_000
const pollMs = 5

/** For `storeContract` on a real backend: side by side, and with time for leases to run out. */
export const realContract: StoreContractOptions = { concurrent: true, timeoutMs: 60_000 }

/** The system's clock with a time of day that is `aheadMs` ahead. */
export interface ShiftedClock extends Clock {
  aheadMs: number
}

export function shiftedClock(): ShiftedClock {
  const { monotonic, after, defer } = systemClock
  return {
    aheadMs: 0,
    monotonic,
    after,
    defer,
    now() {
      return systemClock.now() + this.aheadMs
    },
  }
}

export const sleep = (ms: number): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, ms)
  })

/** Looks every few milliseconds; rejects after twenty seconds. */
export async function untilTrue(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !holds(); await sleep(pollMs))
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`)
}

/** An environment as a server has it. What watchers throw fails `check`. */
export function realEnv(clock: Clock = systemClock): Env & { check(): void } {
  const errors: unknown[] = []
  const kernel = createKernel({ clock, onError: error => void errors.push(error) })
  return {
    kernel,
    clock,
    random: systemRandom,
    log: silentLog,
    metrics: createMetrics(),
    check: () => {
      if (errors.length > 0) throw errors[0]
    },
  }
}

/** `open` makes a store on an empty place of the backend; `remove` clears that place once the store is closed. */
export async function openRealFixture(
  open: (env: Env) => Store | Promise<Store>,
  remove: () => Promise<void> = async () => {},
): Promise<StoreFixture> {
  const clock = shiftedClock()
  const env = realEnv(clock)
  const store = await open(env)
  return {
    store,
    kernel: env.kernel,
    pass: ms => sleep(Math.min(ms, longestPassMs)),
    age: async ms => {
      clock.aheadMs += ms
    },
    until: untilTrue,
    waiting: undefined,
    close: async () => {
      await store.close()
      env.kernel.close()
      await remove()
      env.check()
    },
  }
}

/** A store, and beside it another way to the same place of the backend. */
export async function openLeftOverFixture(open: (env: Env) => SharedBackend): Promise<LeftOverFixture> {
  const env = realEnv()
  const beside = open(env)
  const fixture = await openRealFixture(storeEnv => createSharedStore(open(storeEnv), storeEnv))
  return {
    ...fixture,
    leaveOver: version => beside.putVersion(version),
    close: async () => {
      await fixture.close()
      await beside.close()
      env.kernel.close()
      env.check()
    },
  }
}
