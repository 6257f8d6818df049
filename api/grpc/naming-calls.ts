// nameplane.v1.Naming as a service: a session for each Watch stream, an answer to each Resolve.
import { type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'
import { namingProtoFile, namingService, namingServiceName } from '../../proto/naming-service.ts'
import { encodeResolveResponse } from '../../proto/updates.ts'
import { decodeResolveRequest } from '../../proto/watch-requests.ts'
import { hostOf } from '../push/http2-of-call.ts'
import type { GrpcService } from './grpc-service.ts'
import { resolveName } from './resolve.ts'
import type { WatchContext } from './watch-context.ts'
import { type WatchCall, WatchSession } from './watch-session.ts'

type ResolveCall = ServerUnaryCall<Buffer, Buffer>

export function createNamingCalls(context: WatchContext): GrpcService {
  return {
    name: namingServiceName,
    definition: namingService,
    protoFile: namingProtoFile,
    handlers: {
      Watch: (stream: WatchCall) => void new WatchSession(stream, context),
      Resolve: (call: ResolveCall, answer: sendUnaryData<Buffer>) => void resolve(call, answer, context),
    },
  }
}

async function resolve(call: ResolveCall, answer: sendUnaryData<Buffer>, context: WatchContext): Promise<void> {
  const { ports, push } = context
  const cancelled = new AbortController()
  call.on('cancelled', () => cancelled.abort())
  try {
    const request = decodeResolveRequest(call.request)
    const { tree, replicas } = await resolveName(ports, request, {
      warm: push.warm,
      client: hostOf(call.getPeer()),
      signal: cancelled.signal,
    })
    answer(null, encodeResolveResponse(tree, replicas))
  } catch (error) {
    if (error instanceof RangeError) {
      answer({ code: status.INVALID_ARGUMENT, details: `The request does not decode: ${error.message}` })
      return
    }
    const known = NamingError.from(error)
    if (known.code === 'internal') ports.log.error({ err: error }, 'Resolve failed unexpectedly.')
    answer({ code: known.grpcStatus, details: known.message })
  }
}
