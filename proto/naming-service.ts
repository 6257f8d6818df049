// The methods of nameplane.v1.Naming for both ends. Messages pass as bytes.
import { fileURLToPath } from 'node:url'
import { byteMethod } from './byte-method.ts'

/** A service definition as grpc-js takes it. */
export const namingService = {
  Watch: byteMethod('/nameplane.v1.Naming/Watch', true),
  Resolve: byteMethod('/nameplane.v1.Naming/Resolve', false),
} as const

/** The service's name, as health checks and reflection know it. */
export const namingServiceName = 'nameplane.v1.Naming'

/** Where naming.proto lies, in a checkout and in a built package alike. */
export const namingProtoFile = fileURLToPath(new URL('./nameplane/v1/naming.proto', import.meta.url))
