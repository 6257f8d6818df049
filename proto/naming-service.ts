// The methods of nameplane.v1.Naming for both ends. Messages pass as bytes: they are encoded elsewhere, once for many streams.
import { fileURLToPath } from 'node:url'

const asIs = (bytes: Buffer): Buffer => bytes

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function method<P extends string>(path: P, isStream: boolean) {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  } as const
}

/** A service definition as grpc-js takes it. */
export const namingService = {
  Watch: method('/nameplane.v1.Naming/Watch', true),
  Resolve: method('/nameplane.v1.Naming/Resolve', false),
} as const

/** The service's name, as health checks and reflection know it. */
export const namingServiceName = 'nameplane.v1.Naming'

/** Where naming.proto lies, in a checkout and in a built package alike. */
export const namingProtoFile = fileURLToPath(new URL('./nameplane/v1/naming.proto', import.meta.url))
