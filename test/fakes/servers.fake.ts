// The servers of a store as a server without others sees them, for tests of what stands above.
import type { Env } from '../../runtime/env.ts'
import { SharedServers } from '../../server/servers/shared-servers.ts'
import type { Store } from '../../storage/store.ts'

/** Alone: nobody is dialled, and nothing opened before `start`. Versions that rules go by are passed on through `own.takeInUse`. */
export function loneServer(env: Env, store: Store, id = 'self'): SharedServers {
  const self = { id, version: '0.0.0', startedAt: env.clock.now() }
  const dial = (): never => {
    throw new Error('nobody is there')
  }
  return new SharedServers({ ...env, store, dial, self })
}
