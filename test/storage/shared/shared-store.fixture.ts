// Several stores on one fake backend, each with a kernel of its own as separate servers have, on one clock in the test's hand.
import type { Env } from '../../../runtime/env.ts'
import type { Log } from '../../../runtime/log.ts'
import { createSharedStore } from '../../../storage/shared/shared-store.ts'
import type { Store } from '../../../storage/store.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { FakeSharedBackend } from '../../fakes/shared-backend.fake.ts'
import { testEnv, turnUntil } from '../store.fixture.ts'

export interface Server {
  readonly store: Store
  readonly env: Env
}

export interface SharedRig {
  readonly clock: FakeClock
  readonly backend: FakeSharedBackend
  readonly servers: readonly Server[]
  /** The store of the first server. */
  readonly store: Store
  until(what: string, holds: () => boolean): Promise<void>
  /** Lets this much time go by, what was due and its answers included. */
  pass(ms: number): Promise<void>
  close(): Promise<void>
}

export interface SharedRigOptions {
  readonly servers?: number
  readonly log?: Log
  readonly maxDtabBytes?: number
}

const stepMs = 250

export function openSharedRig({ servers: count = 1, log, maxDtabBytes }: SharedRigOptions = {}): SharedRig {
  const clock = new FakeClock()
  const backend = new FakeSharedBackend(clock, maxDtabBytes === undefined ? {} : { maxDtabBytes })
  const openServer = (): Server => {
    const env = { ...testEnv(clock), ...(log && { log }) }
    return { store: createSharedStore(backend.connect(), env), env }
  }
  const first = openServer()
  const servers = [first, ...Array.from({ length: count - 1 }, openServer)]
  return {
    clock,
    backend,
    servers,
    store: first.store,
    until: (what, holds) => turnUntil(clock, what, holds),
    pass: async ms => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        clock.advance(Math.min(stepMs, ms - passed))
        await answers()
      }
      clock.settle()
      await answers()
    },
    close: async () => {
      await Promise.all(servers.map(({ store }) => store.close()))
      for (const { env } of servers) env.kernel.close()
    },
  }
}

/** Lets every promise that can be settled now be so. */
async function answers(): Promise<void> {
  await new Promise<void>(resolve => {
    setImmediate(resolve)
  })
}
