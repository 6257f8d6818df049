// The source of names of a proxy over the mesh protocol, with its connection told in words for /ready and /state.
import type { Env } from '../../runtime/env.ts'
import { connectionStatus } from '../connection-status.ts'
import type { NamingClient } from '../naming.ts'
import { createMeshClient } from './mesh-client.ts'
import type { MeshInterpreter } from './mesh-config.ts'

/** Connects at once and for ever; the caller closes it. `root` is not looked at: a name says its namespace itself. */
export function openMeshNaming(interpreter: MeshInterpreter, env: Env): NamingClient {
  const { dst, retry, failureThreshold, initialStreamWindowSizeKB } = interpreter
  const client = createMeshClient({
    ...env,
    addresses: dst,
    retry: { minMs: retry.baseSeconds * 1000, maxMs: retry.maxSeconds * 1000 },
    failureThreshold,
    windowBytes: initialStreamWindowSizeKB * 1024,
  })
  const facts = (): object => ({ protocol: 'io.linkerd.mesh', servers: dst, ...client.counts() })
  const { status, unwatch } = connectionStatus(client.connection, env.clock, facts)
  return {
    bind: query => client.bind(query),
    replicas: id => client.replicas(id),
    status,
    close: () => {
      unwatch()
      client.close()
    },
  }
}
