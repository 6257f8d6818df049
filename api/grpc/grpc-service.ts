// A service as the gRPC server takes it. Knows none.
import type { ServiceDefinition, status, UntypedServiceImplementation } from '@grpc/grpc-js'

export interface GrpcService {
  /** As health checks know it, `nameplane.v1.Naming`. */
  readonly name: string
  readonly definition: ServiceDefinition
  /** Not called any more once the server stops. */
  readonly handlers: UntypedServiceImplementation
  /** Whether every answer begins with headers of its own, one that is nothing but a status too. */
  readonly headersFirst?: boolean
  /** What reflection tells of it. */
  readonly protoFile: string
  /** Ends the streams that are not push streams with a status: those end without it. */
  end?(code: status, details: string): void
}
