// The rights that the README of the store asks for, given to the user who has no others.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { KubernetesApi } from '../kubernetes-api.fixture.ts'
import { namerUser } from '../kubernetes-pki.fixture.ts'

const readme = join(import.meta.dirname, '../../../storage/configmap/README.md')
const group = 'rbac.authorization.k8s.io'

/** In that Kubernetes namespace. */
export async function grantRole(api: KubernetesApi, namespace: string): Promise<void> {
  const manifest = /```yml\n([\s\S]*?)```/.exec(await readFile(readme, 'utf8'))?.[1] ?? ''
  const [role, binding] = parseAllDocuments(manifest).map(document => document.toJS())
  const path = `/apis/${group}/v1/namespaces/${namespace}`
  await api.create(`${path}/roles`, { ...role, metadata: { name: role.metadata.name } })
  await api.create(`${path}/rolebindings`, {
    ...binding,
    metadata: { name: binding.metadata.name },
    subjects: [{ kind: 'User', name: namerUser, apiGroup: group }],
  })
}
