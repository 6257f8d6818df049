// io.linkerd.mesh.Resolver: bound ids to endpoints.
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { meshProtoFile, meshServiceName, resolverService } from '../../proto/mesh-services.ts'
import type { Cell } from '../../watch/cell.ts'
import type { GrpcService } from '../grpc/grpc-service.ts'
import type { MeshContext } from './mesh-context.ts'
import { ReplicasEntry } from './mesh-entries.ts'
import { replicasRequestOf } from './mesh-requests.ts'
import { type MeshCall, MeshStream, refuseStream } from './mesh-stream.ts'
import { refuse, type UnaryAnswer, type UnaryCall, warmCell, whenTold } from './unary-call.ts'

export function createResolverCalls(context: MeshContext): GrpcService {
  return {
    name: meshServiceName('Resolver'),
    definition: resolverService,
    protoFile: meshProtoFile('resolver'),
    handlers: {
      GetReplicas: (call: UnaryCall, answer: UnaryAnswer) => getReplicas(context, call, answer),
      StreamReplicas: (call: MeshCall) => streamReplicas(context, call),
    },
  }
}

function cellOf({ ports, noId }: MeshContext, id: Path): Cell<ReplicaSet> {
  return id.length === 0 ? noId : ports.interpreter.replicas(id)
}

/** What is known now, be it that nothing is. */
function getReplicas(context: MeshContext, call: UnaryCall, answer: UnaryAnswer): void {
  const id = replicasRequestOf(call.request)
  if (!id.ok) {
    refuse(answer, id.error)
    return
  }
  const cell = warmCell(context, call, cellOf(context, id.value))
  whenTold(call, cell, state => answer(null, context.frames.replicas.of(state)))
}

function streamReplicas(context: MeshContext, call: MeshCall): void {
  const id = replicasRequestOf(call.request)
  if (!id.ok) {
    refuseStream(call, id.error)
    return
  }
  const failsByDesign = id.value.length === 0 || isRefusing(id.value)
  new MeshStream<ReplicaSet>(
    call,
    { entry: mailbox => new ReplicasEntry(mailbox, failsByDesign), cell: () => cellOf(context, id.value) },
    context,
  )
}

/** `/$/fail`, which stands for a refusal wherever it is asked for. */
function isRefusing([first, second]: Path): boolean {
  return first === '$' && second === 'fail'
}
