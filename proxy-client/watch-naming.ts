// The source of names of a proxy: the watch client, with its connection told in words for /ready and /state.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Env } from '../runtime/env.ts'
import { version } from '../runtime/version.ts'
import type { NamingClient } from './naming.ts'
import { createWatchClient } from './watch/watch-client.ts'
import type { ConnectionState } from './watch/watch-connection.ts'

/** Connects at once and for ever; the caller closes it. */
export function openWatchNaming(addresses: readonly string[], env: Env): NamingClient {
  const clientId = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`
  // What is not used any more stays in the proxy's caches for minutes; a name that they drop is to go at once.
  const client = createWatchClient({ ...env, addresses, clientId, clientVersion: version, lingerMs: 0 })
  let wasConnected = false
  const unwatch = client.connection.watch(state => {
    wasConnected ||= state.kind === 'ok' && state.value.kind === 'connected'
  })
  return {
    bind: query => client.bind(query),
    replicas: id => client.replicas(id),
    status: () => {
      const state = client.connection.peek()
      const connected = state.kind === 'ok' && state.value.kind === 'connected'
      const connection = state.kind === 'ok' ? state.value : { kind: state.kind }
      const problem = connected ? undefined : problemOf(connection, env.clock.now())
      return {
        connected,
        wasConnected,
        ...(problem !== undefined && { problem }),
        facts: { clientId, servers: addresses, connection, ...client.counts() },
      }
    },
    close: () => {
      unwatch()
      client.close()
    },
  }
}

function problemOf(connection: ConnectionState | { readonly kind: string }, now: number): string {
  if (!('retryAt' in connection)) return connection.kind
  return `${connection.reason} It is tried again in ${Math.max(0, Math.round(connection.retryAt - now))} ms.`
}
