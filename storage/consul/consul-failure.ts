// What a failure of Consul means for a store, in words that say what an operator can do.
import { ConsulError } from '../../clients/consul/consul-error.ts'
import { NamingError } from '../../naming/errors.ts'
import { type Layout, ourFolder } from './layout.ts'

/** A NamingError stays what it is; what is no failure of Consul becomes `internal`. */
export function storeError(error: unknown, layout: Layout): NamingError {
  if (!(error instanceof ConsulError)) return NamingError.from(error)
  if (error.status === 403) return new NamingError('store-unavailable', sayRights(error, layout), { cause: error })
  if (error.status === 413) return tooLarge(error)
  if (/no space left on device/i.test(error.message))
    return new NamingError('store-full', `The disk of Consul is full: ${error.message}`, { cause: error })
  return new NamingError('store-unavailable', error.message, { cause: error })
}

/** The agent tells both figures, of the whole transaction. */
function tooLarge(error: ConsulError): NamingError {
  const [, used, limit] = /\((\d+) bytes\).*max size: (\d+)/.exec(error.said) ?? []
  const message = `The dtab, with its message and the rest that is stored with it, is larger than Consul takes in one transaction: ${error.said}`
  const detail = used === undefined ? {} : { used: Number(used), limit: Number(limit) }
  return new NamingError('dtab-too-large', message, { cause: error, detail })
}

function sayRights({ said, message }: ConsulError, layout: Layout): string {
  const keys = [layout.texts, `${ourFolder}/`].map(prefix => `key_prefix "${prefix}" { policy = "write" }`)
  const rules = [...keys, 'session_prefix "" { policy = "write" }'].join(', ')
  const reason = said === '' ? message : said
  // So Consul says of a token that it does not have: deleted, expired, or not yet known in this datacenter.
  const cure = /ACL not found/i.test(reason)
    ? 'there is no such token; after a change of the configured one start the server again. It'
    : "the store's token"
  return `Consul does not allow it (${reason}): ${cure} needs a policy with ${rules}`
}
