// The kinds of namers, each loaded only when it is configured.
import type { KindRegistry } from '../runtime/kind.ts'
import type { Namer } from './namer.ts'

export const namerKinds: KindRegistry<Namer> = {
  'io.l5d.consul': () => import('./consul/index.ts').then(module => module.consul),
  'io.l5d.fs': () => import('./fs/index.ts').then(module => module.fs),
  'io.l5d.k8s': () => import('./kubernetes/index.ts').then(module => module.kubernetes),
  'io.l5d.k8s.external': () => import('./kubernetes/index.ts').then(module => module.external),
  'io.l5d.k8s.ns': () => import('./kubernetes/index.ts').then(module => module.ownNamespace),
  'io.l5d.rewrite': () => import('./rewrite/index.ts').then(module => module.rewrite),
}
