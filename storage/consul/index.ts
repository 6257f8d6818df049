// The kinds `consul` and namerd's `io.l5d.consul`: one store, two names.
import { createConsulAgent } from '../../clients/consul/consul-agent.ts'
import { createConsulKv } from '../../clients/consul/consul-kv.ts'
import { readClientTls } from '../../runtime/client-tls.ts'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { SharedBackend } from '../shared/shared-backend.ts'
import { createSharedStore } from '../shared/shared-store.ts'
import type { Store } from '../store.ts'
import { createConsulBackend } from './consul-backend.ts'
import { type ConsulConfig, consulConfig } from './consul-config.ts'
import { createConsulStoreMetrics } from './consul-metrics.ts'
import { Layout } from './layout.ts'

/** Three questions are followed, each on a connection of its own. */
const maxFollows = 8
/** Shorter than a write may take to be seen elsewhere; with very many namespaces, so often at most the records are read. */
const minSpacingMs = 100
/** Writes that follow each other are seen one by one, or this much later. */
const newsSpacingMs = 20
/** The records of a hundred thousand namespaces. */
const maxBodyBytes = 128 * 1024 * 1024

/** The backend alone. Connects when it is first asked: an agent that is away holds back no start. */
export function openConsulBackend(kind: string, config: ConsulConfig, env: Env): SharedBackend {
  const { host, port, token, datacenter, readConsistencyMode } = config
  const { clock, random, log } = env
  const where = `${host}:${port}`
  const tls = readClientTls(config.tls)
  const access = {
    host,
    port,
    clock,
    random,
    maxBodyBytes,
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  }
  const kv = createConsulKv({ ...access, ...(datacenter !== undefined && { datacenter }) })
  const agent = createConsulAgent({
    ...access,
    consistencyMode: readConsistencyMode,
    maxConnections: maxFollows,
    minSpacingMs,
    newsSpacingMs,
    events: {
      onFailure: reason => metrics.failed(reason),
      onLimit: limit => log.warn({ agent: where, limit }, 'the Consul agent refuses connections of the store'),
      onDrift: () =>
        log.warn({ agent: where }, 'a blocking query of Consul did not wake for a change; a re-read found it'),
    },
  })
  const metrics = createConsulStoreMetrics(env.metrics, () => ({ followed: agent.load(), calls: kv.load() }))
  return createConsulBackend({
    kind,
    agent,
    kv,
    layout: new Layout(config.pathPrefix),
    parameters: datacenter === undefined ? {} : { dc: datacenter },
    env,
    onClosed: () => metrics.close(),
  })
}

const openAs =
  (kind: string) =>
  (config: ConsulConfig, env: Env): Store =>
    createSharedStore(openConsulBackend(kind, config, env), env)

/** Versions and history in Consul's keys, for servers on several machines. */
export const consul = defineKind({ kind: 'consul', config: consulConfig, open: openAs('consul') })

/** namerd's name for the same; namerd's dtabs are found where it left them. */
export const namerdConsul = defineKind({ kind: 'io.l5d.consul', config: consulConfig, open: openAs('io.l5d.consul') })
