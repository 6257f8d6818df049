// The configuration of the three kinds: namerd's keys, and ours. Opens nothing.
import { z } from 'zod'
import type { KubernetesAccess } from '../../clients/kubernetes/access.ts'
import { backendHost } from '../../runtime/backend-host.ts'
import { discoveryOptions, namerOptions } from '../namer-config.ts'

export const kinds = {
  endpoints: 'io.l5d.k8s',
  ownNamespace: 'io.l5d.k8s.ns',
  external: 'io.l5d.k8s.external',
} as const

/** namerd expects a `kubectl proxy` beside it. */
const defaultHost = 'localhost'
const defaultPort = 8001

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
    /** Of a `kubectl proxy`, spoken to in plain HTTP; localhost when no way to the API server is given. */
    host: backendHost.optional(),
    /** 8001 when absent. */
    port: z.int().min(1).max(65_535).optional(),
    /** A kubeconfig file. */
    kubeconfig: z.string().min(1).optional(),
    /** Of the kubeconfig; its current one when absent. */
    context: z.string().min(1).optional(),
    /** With the service account of the pod that the server runs in. */
    inCluster: z.boolean().optional(),
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

interface AccessConfig {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly kubeconfig?: string | undefined
  readonly context?: string | undefined
  readonly inCluster?: boolean | undefined
}

/** The keys that cannot stand together, as an issue of a schema; undefined when all is well. */
function accessConflict(config: AccessConfig): { readonly path: string; readonly message: string } | undefined {
  const { host, port, kubeconfig, context, inCluster } = config
  const hasAddress = host !== undefined || port !== undefined
  if (inCluster === true && hasAddress)
    return { path: 'inCluster', message: 'inCluster finds the API server itself; delete host and port, or inCluster' }
  if (kubeconfig !== undefined && hasAddress)
    return { path: 'kubeconfig', message: 'the kubeconfig names the API server; delete host and port, or kubeconfig' }
  if (inCluster === true && kubeconfig !== undefined)
    return { path: 'inCluster', message: 'delete kubeconfig or inCluster: each is a way to the API server' }
  if (context !== undefined && kubeconfig === undefined)
    return {
      path: 'context',
      message: 'a context is one of a kubeconfig; name that file with kubeconfig, or delete context',
    }
  return undefined
}

/** For `superRefine`. */
function checkAccess(config: AccessConfig, issues: z.core.$RefinementCtx): void {
  const conflict = accessConflict(config)
  if (conflict !== undefined) issues.addIssue({ code: 'custom', path: [conflict.path], message: conflict.message })
}

/** Of a configuration without conflict. */
export function accessFrom({ host, port, kubeconfig, context, inCluster }: AccessConfig): KubernetesAccess {
  if (inCluster === true) return { inCluster: true }
  if (kubeconfig !== undefined) return { kubeconfig, ...(context !== undefined && { context }) }
  return { host: host ?? defaultHost, port: port ?? defaultPort }
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
