// What a mesh call asks for, or the refusal in namerd's words. Knows no call and no answer.
import type { BindRequest, DelegateRequest } from '../../interpreters/interpreter.ts'
import { NamingError } from '../../naming/errors.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import { decodeBindReq, decodeDelegateTreeReq, decodePathReq } from '../../proto/mesh-messages.ts'

/** Bytes of a request: a local dtab is part of a name, so many may be held. */
const maxRequestBytes = 65_536

/** Runs a decoder of proto/ on a request: bad-request for malformed bytes, body-too-large for too many. */
export function decodeRequest<T>(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => T,
  maxBytes = maxRequestBytes,
): Result<T> {
  if (bytes.length > maxBytes)
    return failure(new NamingError('body-too-large', `The request has ${bytes.length} bytes; it may have ${maxBytes}.`))
  try {
    return success(decode(bytes))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return failure(new NamingError('bad-request', `The request does not decode: ${error.message}.`))
  }
}

/** BindReq. A name needs a label. */
export function bindRequestOf(bytes: Uint8Array): Result<BindRequest> {
  const decoded = decodeRequest(bytes, decodeBindReq)
  if (!decoded.ok) return decoded
  const { root, name, dtab } = decoded.value
  const namespace = namespaceOf(root)
  if (!namespace.ok) return namespace
  if (name === undefined || name.length === 0) return failure(noName)
  return success({ namespace: namespace.value, path: name, ...(dtab.length > 0 && { local: dtab }) })
}

/** DelegateTreeReq. */
export function delegateRequestOf(bytes: Uint8Array): Result<DelegateRequest> {
  const decoded = decodeRequest(bytes, decodeDelegateTreeReq)
  if (!decoded.ok) return decoded
  const { root, tree, dtab } = decoded.value
  const namespace = namespaceOf(root)
  if (!namespace.ok) return namespace
  if (tree === undefined) return failure(noName)
  return success({ namespace: namespace.value, tree, ...(dtab.length > 0 && { local: dtab }) })
}

/** DtabReq: its namespace, which may not exist. */
export function dtabRequestOf(bytes: Uint8Array): Result<string> {
  const decoded = decodeRequest(bytes, decodePathReq)
  return decoded.ok ? namespaceOf(decoded.value) : decoded
}

/** ReplicasReq: the id; empty when there is none. */
export function replicasRequestOf(bytes: Uint8Array): Result<Path> {
  const decoded = decodeRequest(bytes, decodePathReq)
  return decoded.ok ? success(decoded.value ?? []) : decoded
}

const noName = new NamingError('not-found', 'No name given')
const noRoot = new NamingError('bad-request', 'No namespace specified')

/** A text that no namespace can have is one that does not exist, as in namerd. */
function namespaceOf(root: Path | undefined): Result<string> {
  if (root === undefined) return failure(noRoot)
  const [namespace, ...more] = root
  if (namespace !== undefined && more.length === 0) return success(namespace)
  const shown = showPath(root)
  return failure(new NamingError('bad-request', `Invalid root: \`${shown}\` must have exactly one segment`))
}
