// The requests of the interpreter that a thread may make, each as a text that names one cell.
import type { GrpcPorts } from '../../api/grpc/grpc-ports.ts'
import type { BindRequest, DelegateRequest } from '../../interpreters/interpreter.ts'
import type { Path } from '../../naming/path.ts'
import type { Cell } from '../../watch/cell.ts'
import { type Asked, parseMessage } from './port-messages.ts'

export type MirroredInterpreter = GrpcPorts['interpreter']

export function bindText({ namespace, path, local = [] }: BindRequest): string {
  return JSON.stringify(local.length === 0 ? { namespace, path } : { namespace, path, local })
}

export function delegateText({ namespace, tree, local = [] }: DelegateRequest): string {
  return JSON.stringify({ namespace, tree, local })
}

/** The cell that a text names; ids and namespaces are named by themselves. */
export function cellOf(interpreter: MirroredInterpreter, asked: Asked, text: string): Cell<object> {
  const request = parseMessage(text)
  // Each text was made of the type that its kind of request takes.
  if (asked === 'bind') return interpreter.bind(request as BindRequest)
  if (asked === 'replicas') return interpreter.replicas(request as Path)
  if (asked === 'delegate') return interpreter.delegate(request as DelegateRequest)
  return interpreter.namespace(request as string)
}
