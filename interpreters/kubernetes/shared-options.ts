// What the namer over endpoints and the namer over load balancers are given alike.
import type { KubernetesCluster } from '../../clients/kubernetes/cluster.ts'
import type { SystemHostCells } from '../../runtime/hosts/system-host-cells.ts'
import type { KubernetesNamerOptions } from './kubernetes-namer.ts'

export interface SharedOptions extends Omit<KubernetesNamerOptions, 'follow' | 'onClose'> {
  /** Closed with the namer. */
  readonly cluster: KubernetesCluster
  /** Closed with the namer. */
  readonly hosts: Pick<SystemHostCells, 'live' | 'close'>
  /** The label whose value ends each name. */
  readonly labelKey?: string
  /** Of one collection. */
  readonly maxObjects: number
  /** Followed at once. */
  readonly maxNamespaces: number
}
