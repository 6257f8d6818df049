// The kinds `io.l5d.k8s`, `io.l5d.k8s.ns` and `io.l5d.k8s.external`: endpoints from Kubernetes, as namerd's namers of those names.
import { env as environment } from 'node:process'
import { accessFrom } from '../../clients/kubernetes/access-options.ts'
import { createKubernetesCluster } from '../../clients/kubernetes/create-cluster.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import { createSystemHostCells } from '../../runtime/hosts/system-host-cells.ts'
import { defineKind } from '../../runtime/kind.ts'
import type { Namer } from '../namer.ts'
import { createEndpointsNamer } from './endpoints-namer.ts'
import { createExternalNamer } from './external-namer.ts'
import {
  type EndpointsConfig,
  type ExternalConfig,
  endpointsConfig,
  externalConfig,
  kinds,
  ownNamespaceConfig,
} from './kubernetes-config.ts'
import { isName } from './service-path.ts'
import type { SharedOptions } from './shared-options.ts'

/** Endpoints of services: `/<namespace>/<port>/<service>[/<label value>]`. */
export const kubernetes = defineKind({
  kind: kinds.endpoints,
  config: endpointsConfig,
  open: (config, env) => openEndpoints(kinds.endpoints, config, env),
})

/** The same in the one Kubernetes namespace that an environment variable names: `/<port>/<service>[/<label value>]`. */
export const ownNamespace = defineKind({
  kind: kinds.ownNamespace,
  config: ownNamespaceConfig,
  open: (config, env) => openEndpoints(kinds.ownNamespace, config, env, namespaceFrom(config.envVar)),
})

/** Load balancers of services: `/<namespace>/<port>/<service>[/<label value>]`. */
export const external = defineKind({
  kind: kinds.external,
  config: externalConfig,
  open: (config, env) => createExternalNamer(optionsFrom(kinds.external, config, env), env),
})

function openEndpoints(kind: string, config: EndpointsConfig, env: Env, namespace?: string): Namer {
  const { terminating } = config
  return createEndpointsNamer({ ...optionsFrom(kind, config, env, namespace), terminating }, env)
}

/** Connects when the first name is watched: an API server that is away holds back no start. */
function optionsFrom(kind: string, config: ExternalConfig, env: Env, namespace?: string): SharedOptions {
  const { prefix, labelSelector, maxObjects, maxNamespaces, emptyIsNeg, emptyHoldDownMs, massEmpty } = config
  const { clock, random, log } = env
  const onCheckFailed = (error: Error): void =>
    log.debug({ err: error, kind }, 'a watch could not be checked by a list')
  return {
    kind,
    prefix,
    rule: { emptyIsNeg, emptyHoldDownMs, massEmpty },
    shape: { hasLabel: labelSelector !== undefined, ...(namespace !== undefined && { namespace }) },
    cluster: createKubernetesCluster({ access: accessFrom(config), clock, random, onCheckFailed }),
    hosts: createSystemHostCells(env),
    maxObjects,
    maxNamespaces,
    ...(labelSelector !== undefined && { labelKey: labelSelector }),
  }
}

function namespaceFrom(envVar: string): string {
  const namespace = environment[envVar]?.toLowerCase()
  if (isName(namespace)) return namespace
  const given = namespace === undefined || namespace === '' ? 'is not set' : `is ${namespace}, which is no namespace`
  const message = `envVar: the environment variable ${envVar} ${given}; it must hold the Kubernetes namespace of the names`
  throw new NamingError('bad-config', message, { detail: { envVar } })
}
