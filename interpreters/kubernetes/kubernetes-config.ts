// The configuration of the three kinds: namerd's keys, and ours. Opens nothing.
import { z } from 'zod'
import { accessOptions, checkAccess } from '../../clients/kubernetes/access-options.ts'
import { backendHost } from '../../runtime/backend-host.ts'
import { discoveryOptions, namerOptions } from '../namer-config.ts'

export const kinds = {
  endpoints: 'io.l5d.k8s',
  ownNamespace: 'io.l5d.k8s.ns',
  external: 'io.l5d.k8s.external',
} as const

const labelName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const labelDomain = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  return labelName.test(key.slice(slash + 1)) && (slash < 0 || labelDomain.test(key.slice(0, slash)))
}

/** What the three kinds share. `checkAccess` looks at the whole. */
function kubernetesOptions(kind: string) {
  return {
    ...namerOptions(kind),
    ...discoveryOptions,
    ...accessOptions(backendHost),
    /** The KEY of a label; its value is then the last label of each path. */
    labelSelector: z
      .string()
      .refine(isLabelKey, 'not the key of a label, such as version or app.example.org/version')
      .optional(),
    /** More objects than this in one watch are refused; what is held stays. */
    maxObjects: z.int().min(1).max(10_000_000).default(100_000),
    /** Kubernetes namespaces that are followed at once. */
    maxNamespaces: z.int().min(1).max(100_000).default(2_000),
  }
}

const endpointsOptions = {
  /** Whether endpoints that terminate but still serve are used while none is ready. */
  terminating: z.enum(['drop', 'lastResort']).default('drop'),
}

export const endpointsConfig = z
  .strictObject({ ...kubernetesOptions(kinds.endpoints), ...endpointsOptions })
  .superRefine(checkAccess)

export type EndpointsConfig = z.output<typeof endpointsConfig>

export const ownNamespaceConfig = z
  .strictObject({
    ...kubernetesOptions(kinds.ownNamespace),
    ...endpointsOptions,
    /** The environment variable that holds the Kubernetes namespace. */
    envVar: z.string().min(1).default('POD_NAMESPACE'),
  })
  .superRefine(checkAccess)

export const externalConfig = z.strictObject(kubernetesOptions(kinds.external)).superRefine(checkAccess)

export type ExternalConfig = z.output<typeof externalConfig>
