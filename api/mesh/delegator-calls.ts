// io.linkerd.mesh.Delegator: dtabs, and explanations of bindings.
import type { NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import { delegatorService, meshProtoFile, meshServiceName } from '../../proto/mesh-services.ts'
import type { GrpcService } from '../grpc/grpc-service.ts'
import { explain } from './explanation.ts'
import { ExplanationStream } from './explanation-stream.ts'
import type { MeshContext } from './mesh-context.ts'
import { DtabEntry, dtabAnswer } from './mesh-entries.ts'
import { delegateRequestOf, dtabRequestOf } from './mesh-requests.ts'
import { type MeshCall, MeshStream, refuseStream } from './mesh-stream.ts'
import { notOk, refuse, reply, type UnaryAnswer, type UnaryCall, whenKnown } from './unary-call.ts'

export function createDelegatorCalls(context: MeshContext): GrpcService {
  return {
    name: meshServiceName('Delegator'),
    definition: delegatorService,
    protoFile: meshProtoFile('delegator'),
    handlers: {
      GetDtab: (call: UnaryCall, answer: UnaryAnswer) => getDtab(context, call, answer),
      StreamDtab: (call: MeshCall) => streamDtab(context, call),
      GetDelegateTree: (call: UnaryCall, answer: UnaryAnswer) => getDelegateTree(context, call, answer),
      StreamDelegateTree: (call: MeshCall) => streamDelegateTree(context, call),
    },
  }
}

function getDtab(context: MeshContext, call: UnaryCall, answer: UnaryAnswer): void {
  const namespace = dtabRequestOf(call.request)
  if (!namespace.ok) {
    refuse(answer, namespace.error)
    return
  }
  const cell = context.ports.interpreter.namespace(namespace.value)
  whenKnown(context, call, cell, state => {
    if (state.kind === 'ok')
      call.on(
        'cancelled',
        dtabAnswer(context.dtabs, state.value, outcome => reply(answer, outcome)),
      )
    else reply(answer, notOk(state))
  })
}

function streamDtab(context: MeshContext, call: MeshCall): void {
  const namespace = dtabRequestOf(call.request)
  if (!namespace.ok) {
    refuseStream(call, namespace.error)
    return
  }
  new MeshStream<NamespaceSnapshot>(
    call,
    {
      namespace: namespace.value,
      entry: mailbox => new DtabEntry(mailbox, context.dtabs),
      cell: () => context.ports.interpreter.namespace(namespace.value),
    },
    context,
  )
}

function getDelegateTree(context: MeshContext, call: UnaryCall, answer: UnaryAnswer): void {
  const request = delegateRequestOf(call.request)
  if (request.ok) explain(context, call, request.value, outcome => reply(answer, outcome))
  else refuse(answer, request.error)
}

/** One message, then the end. */
function streamDelegateTree(context: MeshContext, call: MeshCall): void {
  const request = delegateRequestOf(call.request)
  if (!request.ok) {
    refuseStream(call, request.error)
    return
  }
  new ExplanationStream(call, context.push, answer => explain(context, call, request.value, answer))
}
