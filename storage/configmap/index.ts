// The kind `configMap`: dtabs in ConfigMaps of one Kubernetes namespace, for several servers.
import { z } from 'zod'
import { accessFrom, accessOptions, checkAccess } from '../../clients/kubernetes/access-options.ts'
import { createKubernetesCluster } from '../../clients/kubernetes/create-cluster.ts'
import { backendHost } from '../../runtime/backend-host.ts'
import type { Env } from '../../runtime/env.ts'
import { defineKind } from '../../runtime/kind.ts'
import { createSharedStore } from '../shared/shared-store.ts'
import { ConfigMapBackend } from './configmap-backend.ts'
import { gaugeConfigMaps } from './configmap-metrics.ts'

const kind = 'configMap'

const configMapConfig = z
  .strictObject({
    ...accessOptions(backendHost),
    /** The Kubernetes namespace of the ConfigMaps and Leases. It must exist. */
    namespace: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'not the name of a Kubernetes namespace: 63 of a-z, 0-9 and -'),
  })
  .superRefine(checkAccess)

export type ConfigMapConfig = z.output<typeof configMapConfig>

/** The backend alone; connects when it is first asked or followed. Whoever made it closes it. */
export function createConfigMapBackend(config: ConfigMapConfig, env: Env): ConfigMapBackend {
  const { clock, random, log, metrics } = env
  const onCheckFailed = (error: Error): void =>
    log.debug({ err: error, store: kind }, 'a watch could not be checked by a list')
  const cluster = createKubernetesCluster({ access: accessFrom(config), clock, random, onCheckFailed })
  const onClose = gaugeConfigMaps(metrics, () => cluster.load())
  return new ConfigMapBackend({ kind, cluster, kubernetesNamespace: config.namespace, clock, log, onClose })
}

/** Versions, history, leases and presence in a Kubernetes namespace that servers share. */
export const configMap = defineKind({
  kind,
  config: configMapConfig,
  open: (config, env) => createSharedStore(createConfigMapBackend(config, env), env),
})
