// Where a router's names come from, and what a configuration says of it.
import { z } from 'zod'
import { type MeshInterpreter, meshInterpreter } from './mesh/mesh-config.ts'
import { kinds } from './settings/kinds.ts'
import { refused } from './settings/refused.ts'

const address = z
  .string()
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]/\s]+):[0-9]{1,5}$/, { error: 'not host:port', abort: true })
  .refine(text => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'the port is above 65535')

const namespace = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, 'not a namespace')

const nameplane = z.strictObject({
  kind: z.literal('nameplane'),
  /** gRPC addresses of servers that hold the same namespaces; one is used at a time. */
  addresses: z.array(address).min(1).default(['127.0.0.1:4321']),
  namespace: namespace.default('default'),
  transformers: refused("it belongs into the server's configuration (nameplane serve); delete it here"),
})

const useNameplane = 'write {kind: nameplane, addresses: ["host:4321"], namespace: default}'

export const interpreterConfig = kinds([nameplane, meshInterpreter], {
  refused: {
    default: `names are evaluated by the server; ${useNameplane}`,
    'io.l5d.namerd': `thrift is not spoken here; ${useNameplane}`,
    'io.l5d.namerd.http': useNameplane,
    'io.l5d.fs': `namerctl dtab put takes over the file; ${useNameplane}`,
    'io.l5d.k8s.configMap': `the server keeps dtabs in ConfigMaps; ${useNameplane}`,
    'io.l5d.consul.interpreter': `the server keeps dtabs in Consul; ${useNameplane}`,
    'io.l5d.k8s.istio': `Istio Pilot is not spoken here; ${useNameplane}`,
  },
})

export type InterpreterConfig = z.output<typeof nameplane> | MeshInterpreter

/** The namespace whose rules bind a router's names. */
export function namespaceOf(interpreter: InterpreterConfig): string {
  return interpreter.kind === 'nameplane' ? interpreter.namespace : interpreter.root
}

/** `host:port` of each server. */
export function serversOf(interpreter: InterpreterConfig): readonly string[] {
  return interpreter.kind === 'nameplane' ? interpreter.addresses : interpreter.dst
}

/** Equal for two that differ in nothing but the namespace: they can share a source of names. */
export function sourceKeyOf(interpreter: InterpreterConfig): string {
  const servers = serversOf(interpreter).toSorted()
  if (interpreter.kind === 'nameplane') return JSON.stringify([interpreter.kind, servers])
  const { root: _namespace, ...rest } = interpreter
  return JSON.stringify({ ...rest, dst: servers })
}
