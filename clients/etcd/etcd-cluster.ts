// Puts an etcd cluster together from its parts.
import { Calls, type CallsContext } from './calls.ts'
import type { EtcdCluster } from './cluster.ts'
import { Endpoints } from './endpoints.ts'
import { EtcdError } from './etcd-error.ts'
import { leaseGrantMethod, leaseKeepAliveMethod, leaseRevokeMethod, rangeMethod, txnMethod } from './etcd-method.ts'
import { followRange } from './followed-range.ts'
import { Login } from './login.ts'
import type { EtcdOptions } from './options.ts'

/** Connects when it is first asked or followed; the caller closes it. */
export function createEtcdCluster(options: EtcdOptions): EtcdCluster {
  const { clock, random, events } = options
  const endpoints = new Endpoints(options.endpoints, options.tls)
  const login = new Login({ clock, login: options.login })
  const closing = new AbortController()
  const context: CallsContext = { clock, events, endpoints, login, closing: closing.signal }
  const calls = new Calls(context)
  return {
    range: (query, withinMs) => calls.call(rangeMethod, query, withinMs),
    txn: transaction => calls.call(txnMethod, transaction),
    grantLease: seconds => calls.call(leaseGrantMethod, seconds),
    renewLease: async lease => (await calls.call(leaseKeepAliveMethod, lease)) > 0,
    revokeLease: lease => revokeLease(calls, lease),
    follow: (range, follower) => {
      const ending = new AbortController()
      const signal = AbortSignal.any([ending.signal, closing.signal])
      followRange(range, follower, { clock, random, events, calls, endpoints, login }, signal)
      return () => ending.abort()
    },
    close: () => {
      closing.abort()
      endpoints.close()
    },
  }
}

async function revokeLease(calls: Calls, lease: string): Promise<void> {
  try {
    await calls.call(leaseRevokeMethod, lease)
  } catch (error) {
    if (!(error instanceof EtcdError) || error.reason !== 'no-lease') throw error
  }
}
