// The kinds `etcd` and namerd's `io.l5d.etcd`: one store, two names.
import type { EtcdCluster } from '../../clients/etcd/cluster.ts'
import { createEtcdCluster } from '../../clients/etcd/etcd-cluster.ts'
import { readClientTls } from '../../runtime/client-tls.ts'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { SharedBackend } from '../shared/shared-backend.ts'
import { createSharedStore } from '../shared/shared-store.ts'
import type { Store } from '../store.ts'
import { createEtcdBackend } from './etcd-backend.ts'
import { type EtcdConfig, endpointsOf, etcdConfig, type NamerdEtcdConfig, namerdEtcdConfig } from './etcd-config.ts'
import { createEtcdEvents } from './etcd-metrics.ts'
import { refuseEmpty } from './refuse-empty.ts'

/** The backend alone. Connects when it is first asked: an etcd that is away holds back no start. */
export function openEtcdBackend(kind: string, config: EtcdConfig, env: Env): SharedBackend {
  return backendOn(connect(config, env), kind, config, env)
}

async function openEtcd(config: EtcdConfig, env: Env): Promise<Store> {
  return createSharedStore(openEtcdBackend('etcd', config, env), env)
}

async function openNamerdEtcd(config: NamerdEtcdConfig, env: Env): Promise<Store> {
  const cluster = connect(config, env)
  try {
    if (!config.allowEmpty) await refuseEmpty(cluster, config.pathPrefix, env)
  } catch (error) {
    cluster.close()
    throw error
  }
  return createSharedStore(backendOn(cluster, 'io.l5d.etcd', config, env), env)
}

function connect(config: EtcdConfig, { clock, random, metrics }: Env): EtcdCluster {
  const { username: name, password } = config
  const tls = readClientTls(config.tls)
  return createEtcdCluster({
    endpoints: endpointsOf(config),
    clock,
    random,
    events: createEtcdEvents(metrics),
    ...(name !== undefined && password !== undefined && { login: { name, password } }),
    ...(tls !== undefined && { tls }),
  })
}

function backendOn(cluster: EtcdCluster, kind: string, { pathPrefix }: EtcdConfig, { clock }: Env): SharedBackend {
  return createEtcdBackend({ kind, cluster, pathPrefix, clock })
}

/** Versions and history in etcd v3, for servers on several machines. */
export const etcd = defineKind({ kind: 'etcd', config: etcdConfig, open: openEtcd })

/** namerd's name for it; refuses to begin with nothing, for namerd's own dtabs lie in etcd v2. */
export const namerdEtcd = defineKind({ kind: 'io.l5d.etcd', config: namerdEtcdConfig, open: openNamerdEtcd })
