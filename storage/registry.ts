// Every kind of store and where its code is; a kind is loaded only when it is configured. One line per kind.
import type { KindRegistry } from '../runtime/kind.ts'
import type { Store } from './store.ts'

/** Looked up by `storage.kind` of the configuration. */
export const storeKinds: KindRegistry<Store> = {
  memory: async () => (await import('./memory/index.ts')).memory,
  'io.l5d.inMemory': async () => (await import('./memory/index.ts')).inMemory,
  configMap: async () => (await import('./configmap/index.ts')).configMap,
  sqlite: async () => (await import('./sqlite/index.ts')).sqlite,
  consul: async () => (await import('./consul/index.ts')).consul,
  'io.l5d.consul': async () => (await import('./consul/index.ts')).namerdConsul,
  etcd: async () => (await import('./etcd/index.ts')).etcd,
  'io.l5d.etcd': async () => (await import('./etcd/index.ts')).namerdEtcd,
}
