// The connection to naming servers in words, for /ready and /state. Knows no protocol.
import type { Cell, Unwatch } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import type { NamingStatus } from './naming.ts'

/** What a connection says of itself; times in ms since 1970. */
type Connection =
  | { readonly kind: 'connected' }
  | { readonly kind: 'waiting'; readonly retryAt: number; readonly reason: string }
  | { readonly kind: 'connecting' | 'closed' }

/** `facts`: for people, beside the connection itself. The caller ends the watch. */
export function connectionStatus(
  cell: Cell<Connection>,
  clock: Clock,
  facts: () => object,
): { readonly status: () => NamingStatus; readonly unwatch: Unwatch } {
  let wasConnected = false
  const unwatch = cell.watch(state => {
    wasConnected ||= state.kind === 'ok' && state.value.kind === 'connected'
  })
  const status = (): NamingStatus => {
    const state = cell.peek()
    const connection = state.kind === 'ok' ? state.value : { kind: state.kind }
    const connected = connection.kind === 'connected'
    return {
      connected,
      wasConnected,
      ...(!connected && { problem: problemOf(connection, clock.now()) }),
      facts: { ...facts(), connection },
    }
  }
  return { status, unwatch }
}

function problemOf(connection: Connection | { readonly kind: 'pending' | 'failed' }, now: number): string {
  if (connection.kind !== 'waiting') return connection.kind
  return `${connection.reason} It is tried again in ${Math.max(0, Math.round(connection.retryAt - now))} ms.`
}
