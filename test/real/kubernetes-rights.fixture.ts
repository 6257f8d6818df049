// What the user of `namerToken` may read, as an operator grants it.
import type { KubernetesApi } from './kubernetes-api.fixture.ts'
import { namerUser } from './kubernetes-pki.fixture.ts'

const group = 'rbac.authorization.k8s.io'
const rbac = `/apis/${group}/v1`
const metadata = { name: namerUser }

/** A role bound to that user. */
export class NamerRights {
  readonly #api: KubernetesApi

  private constructor(api: KubernetesApi) {
    this.#api = api
  }

  /** Grants `get`, `list` and `watch` on these resources. */
  static async grant(api: KubernetesApi, ...resources: readonly string[]): Promise<NamerRights> {
    const kinds = { apiVersion: `${group}/v1`, metadata }
    await api.create(`${rbac}/clusterroles`, { ...kinds, kind: 'ClusterRole', rules: rulesFor(resources) })
    await api.create(`${rbac}/clusterrolebindings`, {
      ...kinds,
      kind: 'ClusterRoleBinding',
      subjects: [{ kind: 'User', name: namerUser, apiGroup: group }],
      roleRef: { kind: 'ClusterRole', name: namerUser, apiGroup: group },
    })
    return new NamerRights(api)
  }

  /** These resources and no other from now on. */
  async change(...resources: readonly string[]): Promise<void> {
    await this.#api.patch(`${rbac}/clusterroles/${namerUser}`, { rules: rulesFor(resources) })
  }
}

function rulesFor(resources: readonly string[]): readonly object[] {
  if (resources.length === 0) return []
  return [{ apiGroups: ['', 'discovery.k8s.io'], resources, verbs: ['get', 'list', 'watch'] }]
}
