// The rights that the README of the store asks for, given to the user who has no others.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { eventually } from '../backend-process.fixture.ts'
import type { KubernetesApi } from '../kubernetes-api.fixture.ts'
import { namerUser } from '../kubernetes-pki.fixture.ts'

const readme = join(import.meta.dirname, '../../../storage/configmap/README.md')
const group = 'rbac.authorization.k8s.io'

const review = z.object({ status: z.object({ allowed: z.boolean() }) })

/** In that Kubernetes namespace. Resolves once the API server goes by it, which is some time after it has stored it. */
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
  await eventually(`rights of ${namerUser} in ${namespace}`, () => isGranted(api, namespace))
}

async function isGranted(api: KubernetesApi, namespace: string): Promise<boolean> {
  const resourceAttributes = { namespace, verb: 'get', resource: 'configmaps' }
  const answer = await api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: namerUser, resourceAttributes },
  })
  return review.parse(answer).status.allowed
}
