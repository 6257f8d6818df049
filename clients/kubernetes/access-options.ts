// The way to an API server as it stands in a configuration, the same for namers and stores. Opens nothing.
import { z } from 'zod'
import type { KubernetesAccess } from './access.ts'

/** Where a `kubectl proxy` listens. */
const defaultHost = 'localhost'
const defaultPort = 8001

/** Keys of a configuration; `checkAccess` looks at them together. `host` is the schema of a host's name. */
export function accessOptions(host: z.ZodType<string>) {
  return {
    /** Of a `kubectl proxy`, spoken to in plain HTTP; localhost when no way to the API server is given. */
    host: host.optional(),
    /** 8001 when absent. */
    port: z.int().min(1).max(65_535).optional(),
    /** A kubeconfig file. */
    kubeconfig: z.string().min(1).optional(),
    /** Of the kubeconfig; its current one when absent. */
    context: z.string().min(1).optional(),
    /** With the service account of the pod that the server runs in. */
    inCluster: z.boolean().optional(),
  }
}

export interface AccessConfig {
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
export function checkAccess(config: AccessConfig, issues: z.core.$RefinementCtx): void {
  const conflict = accessConflict(config)
  if (conflict !== undefined) issues.addIssue({ code: 'custom', path: [conflict.path], message: conflict.message })
}

/** Of a configuration without conflict. */
export function accessFrom({ host, port, kubeconfig, context, inCluster }: AccessConfig): KubernetesAccess {
  if (inCluster === true) return { inCluster: true }
  if (kubeconfig !== undefined) return { kubeconfig, ...(context !== undefined && { context }) }
  return { host: host ?? defaultHost, port: port ?? defaultPort }
}
