// The kind `io.l5d.consul`: endpoints from Consul's catalogue or health checks, as namerd's namer of that name.
import { createConsulAgent } from '../../clients/consul/consul-agent.ts'
import { readClientTls } from '../../runtime/client-tls.ts'
import type { Env } from '../../runtime/env.ts'
import { createSystemHostCells } from '../../runtime/hosts/system-host-cells.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Namer } from '../namer.ts'
import { type ConsulConfig, consulConfig } from './consul-config.ts'
import { createConsulNamer } from './consul-namer.ts'

/** Connects when the first name is watched: an agent that is away holds back no start. */
function open(config: ConsulConfig, env: Env): Namer {
  const { host, port, token, consistencyMode, maxConnections } = config
  const { clock, random, log } = env
  const where = `${host}:${port}`
  const tls = readClientTls(config.tls)
  const agent = createConsulAgent({
    host,
    port,
    consistencyMode,
    maxConnections,
    clock,
    random,
    events: {
      onLimit: limit => log.warn({ agent: where, limit }, 'the Consul agent refuses connections; fewer are used'),
      onDrift: () =>
        log.warn({ agent: where }, 'a blocking query of Consul did not wake for a change; a re-read found it'),
    },
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  })
  return createConsulNamer(config, { agent, hosts: createSystemHostCells(env) }, env)
}

/** Names `/<datacenter>/<service>`, or with `includeTag` `/<datacenter>/<tag>/<service>`. */
export const consul = defineKind({ kind: 'io.l5d.consul', config: consulConfig, open })
