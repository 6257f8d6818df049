// What the client reports, as the store's errors.
import { EtcdError } from '../../clients/etcd/etcd-error.ts'
import { type ErrorCode, NamingError } from '../../naming/errors.ts'

const codes: Partial<Record<EtcdError['reason'], ErrorCode>> = { full: 'store-full', 'too-large': 'dtab-too-large' }

/** Errors of ours stay what they are; whatever else etcd said, the outcome of a write is not known then. */
export function etcdFailure(thrown: unknown): NamingError {
  if (thrown instanceof NamingError) return thrown
  if (!(thrown instanceof EtcdError)) return NamingError.from(thrown)
  const message = `The store does not serve: ${thrown.message}.`
  const code = thrown.mayBeDone ? undefined : codes[thrown.reason]
  return new NamingError(code ?? 'store-unavailable', message, { cause: thrown })
}

/** Runs calls to etcd; rejects with NamingErrors only. */
export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw etcdFailure(error)
  }
}
