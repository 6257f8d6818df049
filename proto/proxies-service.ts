// The methods of nameplane.v1.Proxies for both ends. Messages pass as bytes.
import { fileURLToPath } from 'node:url'
import { byteMethod } from './byte-method.ts'

/** A service definition as grpc-js takes it. */
export const proxiesService = {
  List: byteMethod('/nameplane.v1.Proxies/List', false),
  FollowApplied: { ...byteMethod('/nameplane.v1.Proxies/FollowApplied', false), responseStream: true },
} as const

/** The service's name, as health checks and reflection know it. */
export const proxiesServiceName = 'nameplane.v1.Proxies'

/** Where proxies.proto lies, in a checkout and in a built package alike. */
export const proxiesProtoFile = fileURLToPath(new URL('./nameplane/v1/proxies.proto', import.meta.url))
