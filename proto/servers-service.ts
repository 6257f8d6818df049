// The method of nameplane.v1.Servers for both ends. Messages pass as bytes.
import { fileURLToPath } from 'node:url'
import { byteMethod } from './byte-method.ts'

/** A service definition as grpc-js takes it. */
export const serversService = { Follow: byteMethod('/nameplane.v1.Servers/Follow', true) } as const

/** The service's name, as health checks and reflection know it. */
export const serversServiceName = 'nameplane.v1.Servers'

/** Where servers.proto lies, in a checkout and in a built package alike. */
export const serversProtoFile = fileURLToPath(new URL('./nameplane/v1/servers.proto', import.meta.url))
