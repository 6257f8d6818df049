// The services of io.linkerd.mesh, as the gRPC server takes them.
import type { GrpcPorts } from '../grpc/grpc-ports.ts'
import type { GrpcService } from '../grpc/grpc-service.ts'
import type { PushContext } from '../push/push-context.ts'
import { createCodecCalls } from './codec-calls.ts'
import { createDelegatorCalls } from './delegator-calls.ts'
import { createInterpreterCalls } from './interpreter-calls.ts'
import { MeshContext } from './mesh-context.ts'
import { createResolverCalls } from './resolver-calls.ts'

/**
 * All four. The first one's end ends what any of them holds. A linkerd waits for ever for an answer whose first headers are its
 * end, and does not ask again.
 */
export function createMeshServices(ports: GrpcPorts, push: PushContext): readonly GrpcService[] {
  const context = new MeshContext(ports, push)
  return [
    { ...createInterpreterCalls(context), end: () => context.stop() },
    createResolverCalls(context),
    createDelegatorCalls(context),
    createCodecCalls(),
  ].map(service => ({ ...service, headersFirst: true }))
}
