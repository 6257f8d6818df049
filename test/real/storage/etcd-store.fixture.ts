// Stores and backends on a real etcd: each installation has a prefix of its own, so that many share one cluster.
import type { Env } from '../../../runtime/env.ts'
import { etcdConfig } from '../../../storage/etcd/etcd-config.ts'
import { etcd, openEtcdBackend } from '../../../storage/etcd/index.ts'
import type { SharedBackend } from '../../../storage/shared/shared-backend.ts'
import type { Store } from '../../../storage/store.ts'
import { type OpenStore, openServer } from './open-store.fixture.ts'

let installations = 0

/** A prefix that nobody has used. */
export function freshPrefix(): string {
  installations++
  return `/namerd/dtabs-${installations}`
}

export interface EtcdPlace {
  readonly endpoints: readonly string[]
  readonly pathPrefix: string
  readonly username?: string
  readonly password?: string
}

const configFor = (place: EtcdPlace) => etcdConfig.parse(place)

export async function openStore(place: EtcdPlace, env: Env): Promise<Store> {
  return await etcd.open(configFor(place), env)
}

export function openBackend(place: EtcdPlace, env: Env): SharedBackend {
  return openEtcdBackend('etcd', configFor(place), env)
}

export async function startStore(place: EtcdPlace): Promise<OpenStore> {
  return await openServer(env => openStore(place, env))
}
