// The methods of io.linkerd.mesh for both ends. Messages pass as bytes.
import { fileURLToPath } from 'node:url'
import { byteMethod } from './byte-method.ts'

const unary = <P extends string>(path: P) => byteMethod(path, false)

const serverStream = <P extends string>(path: P) => ({ ...byteMethod(path, false), responseStream: true }) as const

/** A service definition as grpc-js takes it, as the three below. */
export const interpreterService = {
  GetBoundTree: unary('/io.linkerd.mesh.Interpreter/GetBoundTree'),
  StreamBoundTree: serverStream('/io.linkerd.mesh.Interpreter/StreamBoundTree'),
} as const

export const resolverService = {
  GetReplicas: unary('/io.linkerd.mesh.Resolver/GetReplicas'),
  StreamReplicas: serverStream('/io.linkerd.mesh.Resolver/StreamReplicas'),
} as const

export const delegatorService = {
  GetDtab: unary('/io.linkerd.mesh.Delegator/GetDtab'),
  StreamDtab: serverStream('/io.linkerd.mesh.Delegator/StreamDtab'),
  GetDelegateTree: unary('/io.linkerd.mesh.Delegator/GetDelegateTree'),
  StreamDelegateTree: serverStream('/io.linkerd.mesh.Delegator/StreamDelegateTree'),
} as const

export const codecService = {
  ReadDtab: unary('/io.linkerd.mesh.Codec/ReadDtab'),
  ShowDtab: unary('/io.linkerd.mesh.Codec/ShowDtab'),
  ReadPath: unary('/io.linkerd.mesh.Codec/ReadPath'),
  ShowPath: unary('/io.linkerd.mesh.Codec/ShowPath'),
} as const

/** A service's name, as health checks and reflection know it. */
export function meshServiceName(service: 'Interpreter' | 'Resolver' | 'Delegator' | 'Codec'): string {
  return `io.linkerd.mesh.${service}`
}

/** Where the imports in the files below begin. */
export const protoFolder = fileURLToPath(new URL('.', import.meta.url))

/** Where a protocol definition lies, in a checkout and in a built package alike; they import each other from `protoFolder`. */
export function meshProtoFile(name: 'dtab' | 'interpreter' | 'resolver' | 'delegator' | 'codec'): string {
  return fileURLToPath(new URL(`./io/linkerd/mesh/${name}.proto`, import.meta.url))
}
