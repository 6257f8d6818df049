// The namers built in under /$/ that only rewrite: pure functions from the rest of a path to another path.
// Behaviour is that of linkerd 1's utility namers. Knows no dtab and no endpoints.
import { type NameTree, neg } from '../../naming/name-tree.ts'
import { noSuchReplicas } from '../../naming/replica-set.ts'
import type { Kernel } from '../../watch/cell.ts'
import { ok, type State } from '../../watch/state.ts'
import type { Namer, NamerLeaf } from '../namer.ts'
import { hostportPfx, porthostPfx } from './host-port.ts'
import { anyHost, anyHostPfx, domainToPath, domainToPathPfx, subdomainOf, subdomainOfPfx } from './http-host.ts'
import { anyMethod, anyMethodPfx } from './http-method.ts'
import type { Rewrite } from './rewrite.ts'

const rewrites: Readonly<Record<string, Rewrite>> = {
  'io.buoyant.hostportPfx': hostportPfx,
  'io.buoyant.porthostPfx': porthostPfx,
  'io.buoyant.http.anyMethod': anyMethod,
  'io.buoyant.http.anyMethodPfx': anyMethodPfx,
  'io.buoyant.http.anyHost': anyHost,
  'io.buoyant.http.anyHostPfx': anyHostPfx,
  'io.buoyant.http.subdomainOf': subdomainOf,
  'io.buoyant.http.subdomainOfPfx': subdomainOfPfx,
  'io.buoyant.http.domainToPath': domainToPath,
  'io.buoyant.http.domainToPathPfx': domainToPathPfx,
}

const okNeg: State<NameTree<NamerLeaf>> = ok(neg)

/** One namer per class; they hold nothing. */
export function createUtilityNamers(kernel: Kernel): readonly Namer[] {
  const noReplicas = kernel.derive('replicas of a rewriting namer', () => ok(noSuchReplicas))
  return Object.entries(rewrites).map(([className, rewrite]) => ({
    prefix: ['$', className],
    lookup: rest => {
      const path = rewrite(rest)
      return path === undefined ? okNeg : ok({ kind: 'leaf', value: { kind: 'path', path } })
    },
    replicas: () => noReplicas,
    close: () => {},
  }))
}
