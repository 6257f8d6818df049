// A store with an environment of its own, as a server has it.
import type { Env } from '../../../runtime/env.ts'
import type { Store } from '../../../storage/store.ts'
import { realEnv } from './store.fixture.ts'

/** A server's worth of store: it and its environment close together. */
export interface OpenStore extends AsyncDisposable {
  readonly store: Store
  readonly env: Env
}

export async function openServer(open: (env: Env) => Promise<Store>): Promise<OpenStore> {
  const env = realEnv()
  const store = await open(env)
  return {
    store,
    env,
    [Symbol.asyncDispose]: async () => {
      await store.close()
      env.kernel.close()
      env.check()
    },
  }
}
