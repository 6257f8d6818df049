// io.linkerd.mesh.Interpreter: names to bindings.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { interpreterService, meshProtoFile, meshServiceName } from '../../proto/mesh-services.ts'
import type { GrpcService } from '../grpc/grpc-service.ts'
import type { MeshContext } from './mesh-context.ts'
import { TreeEntry } from './mesh-entries.ts'
import { sendable } from './mesh-frames.ts'
import { bindRequestOf } from './mesh-requests.ts'
import { type MeshCall, MeshStream, refuseStream } from './mesh-stream.ts'
import { onlyOk, refuse, reply, type UnaryAnswer, type UnaryCall, warmCell, whenKnown } from './unary-call.ts'

export function createInterpreterCalls(context: MeshContext): GrpcService {
  return {
    name: meshServiceName('Interpreter'),
    definition: interpreterService,
    protoFile: meshProtoFile('interpreter'),
    handlers: {
      GetBoundTree: (call: UnaryCall, answer: UnaryAnswer) => getBoundTree(context, call, answer),
      StreamBoundTree: (call: MeshCall) => streamBoundTree(context, call),
    },
  }
}

function getBoundTree(context: MeshContext, call: UnaryCall, answer: UnaryAnswer): void {
  const request = bindRequestOf(call.request)
  if (!request.ok) {
    refuse(answer, request.error)
    return
  }
  const cell = warmCell(context, call, context.ports.interpreter.bind(request.value))
  whenKnown(context, call, cell, state =>
    reply(
      answer,
      onlyOk(state, ok => sendable(context.frames.trees.of(ok))),
    ),
  )
}

function streamBoundTree(context: MeshContext, call: MeshCall): void {
  const request = bindRequestOf(call.request)
  if (!request.ok) {
    refuseStream(call, request.error)
    return
  }
  const { namespace } = request.value
  new MeshStream<BoundTree>(
    call,
    {
      namespace,
      entry: (mailbox, { proxy }) => new TreeEntry(mailbox, proxy.namespace(namespace)),
      cell: () => context.ports.interpreter.bind(request.value),
    },
    context,
  )
}
