// The four forms of a request target (RFC 9112, 3.2). Its bytes were checked before.
import { isAuthority, isHostAndPort } from './authority.ts'

const slash = 0x2f
const scheme = /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)/i

/** Whether the target has a form that goes with the method. */
export function isTargetFor(method: string, target: string): boolean {
  if (method === 'CONNECT') return isHostAndPort(target)
  if (target.charCodeAt(0) === slash) return true
  if (target === '*') return method === 'OPTIONS'
  const authority = scheme.exec(target)?.[1]
  return authority !== undefined && isAuthority(authority)
}
