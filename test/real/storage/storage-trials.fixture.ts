// Every store that outlives a server, on a real backend: how servers reach it, and what can be killed of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RealConsulCluster } from '../consul-cluster.fixture.ts'
import { RealEtcd } from '../etcd.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'
import { freshPlace } from './configmap-store.fixture.ts'
import type { StorageFor } from './server-fleet.fixture.ts'

/** One backend with nothing in it. Dispose ends it. */
export interface StorageTrial extends AsyncDisposable {
  readonly storageFor: StorageFor
  /** Kills a part of the backend that the rest can do without; absent where there is only one. */
  readonly killLeader?: () => Promise<void>
}

/** By the kind of the store. */
export const storageTrials: Readonly<Record<string, () => Promise<StorageTrial>>> = {
  sqlite: startSqlite,
  consul: startConsul,
  etcd: startEtcd,
  configMap: startConfigMap,
}

/** Enough for the longest race; nothing may be forgotten before it is looked at. */
const history = { maxVersions: 1_000_000 }

async function startSqlite(): Promise<StorageTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'nameplane-trial-'))
  return {
    storageFor: () => ({ kind: 'sqlite', path: join(folder, 'store.db'), history }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Each server asks a Consul server of its own, as it would an agent beside it. */
async function startConsul(): Promise<StorageTrial> {
  const cluster = await RealConsulCluster.start()
  const ports = cluster.servers.map(({ port }) => port)
  return {
    storageFor: n => ({ kind: 'consul', host: '127.0.0.1', port: ports[n % ports.length], history }),
    killLeader: async () => void (await cluster.killLeader()),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

/** Each server names all three members, another one first. */
async function startEtcd(): Promise<StorageTrial> {
  const etcd = await RealEtcd.start({ servers: 3 })
  const { endpoints } = etcd
  return {
    storageFor: n => {
      const first = n % endpoints.length
      return { kind: 'etcd', endpoints: [...endpoints.slice(first), ...endpoints.slice(0, first)], history }
    },
    killLeader: async () => {
      const leader = await etcd.leader()
      await leader.kill()
    },
    [Symbol.asyncDispose]: () => etcd[Symbol.asyncDispose](),
  }
}

/** The servers have the store's rights and no more. */
async function startConfigMap(): Promise<StorageTrial> {
  const kubernetes = await RealKubernetes.start()
  const namespace = await freshPlace(kubernetes)
  const kubeconfig = await kubernetes.namerKubeconfig()
  return {
    storageFor: () => ({ kind: 'configMap', kubeconfig, namespace, history }),
    [Symbol.asyncDispose]: () => kubernetes[Symbol.asyncDispose](),
  }
}
