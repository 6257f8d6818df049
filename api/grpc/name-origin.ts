// From a name as a client sent it to what it is bound from, or the error that says what is wrong with it.
import type { BindRequest, Interpreter } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { parseDtab } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import { encodeIdField } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { FrameOrigin } from '../frames.ts'

/** Bytes of text that a local dtab may have; larger ones belong into a namespace. */
const maxLocalDtabBytes = 65_536

/** The request to bind; the failure is bad-namespace, bad-path or bad-dtab. */
export function bindRequestFromName({ namespace, path, dtab }: WireName): Result<BindRequest> {
  const parsed = parseNamespace(namespace)
  if (!parsed.ok) return parsed
  const invalid = invalidPath(path)
  if (invalid !== undefined) return failure(invalid)
  if (dtab === '') return success({ namespace, path })
  if (dtab.length > maxLocalDtabBytes)
    return failure(new NamingError('bad-dtab', `A local dtab may have ${maxLocalDtabBytes} bytes; this has more.`))
  const local = parseDtab(dtab)
  return local.ok ? success({ namespace, path, local: local.value }) : local
}

/** Where the frames of a name come from. */
export function treeOrigin(interpreter: Interpreter, name: WireName, request: BindRequest): FrameOrigin<BoundTree> {
  const key = `${name.namespace}${showPath(name.path)}${name.dtab === '' ? '' : ` ${name.dtab}`}`
  return { key, open: () => interpreter.bind(request) }
}

/** Where the frames of a replica set come from; the failure is bad-path. */
export function replicaOrigin(interpreter: Interpreter, id: Path): Result<FrameOrigin<ReplicaSet>> {
  const invalid = invalidPath(id)
  if (invalid !== undefined) return failure(invalid)
  return success({
    key: showPath(id),
    open: () => interpreter.replicas(id),
    resource: () => encodeIdField(id),
  })
}

function invalidPath(path: Path): NamingError | undefined {
  if (path.every(label => label !== '')) return undefined
  return new NamingError('bad-path', 'A label of the path is empty; every label has at least one byte.')
}
