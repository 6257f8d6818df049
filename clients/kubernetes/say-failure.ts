// What a failed request means to an operator: the cause, and what to do about it. Knows nothing of loops.
import { KubernetesStatusError } from './cluster.ts'
import type { Method } from './exchange.ts'

/** The error in words that say what to do; itself where nothing better is known, and where it has a status. */
export function sayFailure(error: Error): Error {
  if (error instanceof KubernetesStatusError) return error
  const said = wordsOf(error)
  return said === undefined ? error : new Error(said, { cause: error })
}

/** What to do about a refusal, as it stands after the server's own words; empty when they say all. */
export function cureOf(status: number, text: string, method: Method = 'GET'): string {
  if (status === 400 && /HTTP request to an HTTPS server/i.test(text))
    return ': it speaks TLS; reach it by a kubeconfig or inCluster, or name the port of a kubectl proxy'
  if (status === 401) return ': the token or the certificate is wrong, or has expired'
  if (status === 403 && !/exceeded quota/.test(text)) return `: grant ${rightsFor[method]} on it`
  return ''
}

/** The words of a Role for what was asked. */
const rightsFor: Readonly<Record<Method, string>> = {
  GET: 'get, list and watch',
  POST: 'create',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** What Node tells of a system call that failed. */
interface SystemFacts {
  readonly code?: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly path?: string
}

function wordsOf(error: Error): string | undefined {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const facts = first as SystemFacts // Node's errors carry these beside their message
  const { code = '', syscall = '' } = facts
  if (code === 'ECONNREFUSED')
    return `no API server listens at ${facts.address}:${facts.port} (${code}): start it, or the kubectl proxy, or correct its address`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the API server's host ${facts.hostname} is not found (${code}): correct it, or mend DNS`
  if (code === 'ENOENT' && syscall.startsWith('spawn'))
    return `the credential plugin ${facts.path} of the kubeconfig is not installed (${code})`
  if (/wrong.version.number/i.test(`${code} ${error.message}`))
    return 'the API server does not speak TLS on this port: write http: in its URL, or correct the port'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `the API server's certificate is for another host: ${error.message}; set tls-server-name in the kubeconfig, or correct the URL`
  if (code === 'CERT_HAS_EXPIRED') return `the API server's certificate has expired (${code}): renew it`
  if (unknownAuthority.has(code))
    return `the API server's certificate is of an unknown authority (${code}): correct certificate-authority in the kubeconfig`
  return undefined
}

const unknownAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
