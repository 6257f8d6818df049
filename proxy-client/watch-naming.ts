// The source of names of a proxy: the watch client, with its connection told in words for /ready and /state.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Env } from '../runtime/env.ts'
import { version } from '../runtime/version.ts'
import { connectionStatus } from './connection-status.ts'
import type { NamingClient } from './naming.ts'
import { createWatchClient } from './watch/watch-client.ts'

/** Connects at once and for ever; the caller closes it. */
export function openWatchNaming(addresses: readonly string[], env: Env): NamingClient {
  const clientId = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  // What is not used any more stays in the proxy's caches for minutes; a name that they drop is to go at once.
  const client = createWatchClient({ ...env, addresses, clientId, clientVersion: version, lingerMs: 0 })
  const facts = (): object => ({ clientId, servers: addresses, ...client.counts() })
  const { status, unwatch } = connectionStatus(client.connection, env.clock, facts)
  return {
    bind: query => client.bind(query),
    replicas: id => client.replicas(id),
    status,
    close: () => {
      unwatch()
      client.close()
    },
  }
}
