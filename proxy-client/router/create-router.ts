// Puts one router together from its configuration. Opens nothing.
import type { Log } from '../../runtime/log.ts'
import { BindingCache } from '../binding/binding-cache.ts'
import { ClientCache } from '../client/client-cache.ts'
import type { RouterConfig } from '../config.ts'
import { createLocalDtabReader } from '../context/local-dtab.ts'
import { createRequestIds } from '../context/request-id.ts'
import { defaultLimits } from '../http1/limits.ts'
import type { HeadLimits } from '../http1/message.ts'
import { createIdentifier } from '../identifier/create-identifier.ts'
import { namespaceOf } from '../interpreter-config.ts'
import type { NamingClient } from '../naming.ts'
import { ServiceTable } from '../service/service-table.ts'
import { createSettings } from '../settings/create-settings.ts'
import { createClientParts, createServiceParts, type PartSources } from './configured-parts.ts'
import { Router } from './router.ts'
import type { Tunnels } from './tunnels.ts'

/** What a router works with; it owns none of them. */
export interface RouterParts extends Omit<PartSources, 'settings' | 'limits' | 'onCrash'> {
  readonly log: Log
  readonly naming: NamingClient
  readonly tunnels: Tunnels
}

/** How long the rest of a response that is dropped may take before its connection is closed. */
const dropMs = 1_000

/** The caller closes it, and what it works with after it. */
export function createRouter(config: RouterConfig, parts: RouterParts): Router {
  const { clock, random, log, naming, timeouts, tunnels, telemetry } = parts
  const { services, clients, bindings } = createCaches(config, parts)
  const routing = {
    namespace: namespaceOf(config.interpreter),
    bindings,
    bindingTimeoutMs: config.bindingTimeoutMs,
    timeoutStatus: config.timeoutStatus,
    clock,
    random,
    log,
    telemetry,
    identify: createIdentifier(config.identifier, config.dstPrefix),
    readDtab: createLocalDtabReader(),
    nextRequestId: createRequestIds(random),
    maxReplayBytes: config.streamAfterContentLengthKB * 1024,
    dropTimeouts: timeouts.of(dropMs),
    namingProblem: () => naming.status().problem,
    openTunnel: tunnels.open,
  }
  return new Router({ label: config.label, services, clients, routing })
}

interface Caches {
  readonly services: ServiceTable
  readonly clients: ClientCache
  readonly bindings: BindingCache
}

function createCaches(config: RouterConfig, { naming, ...parts }: RouterParts): Caches {
  const { clock, telemetry } = parts
  const onCrash = (error: unknown): void =>
    parts.log.error({ err: error }, 'a connection to an endpoint failed unexpectedly and was cut')
  const sources = { ...parts, settings: createSettings(config), limits: headLimitsOf(config), onCrash }
  const { paths, clients: maxClients, idleTtlSecs } = config.bindingCache
  const idleMs = idleTtlSecs * 1000
  const services = new ServiceTable({
    create: (path, text) => createServiceParts(path, text, sources),
    onRelease: text => telemetry.releaseService(text),
  })
  const clients = new ClientCache({
    resolver: naming,
    clock,
    max: maxClients,
    idleMs,
    create: (id, idText) => createClientParts(id, idText, sources),
    onRelease: idText => telemetry.releaseClient(idText),
  })
  const namespace = namespaceOf(config.interpreter)
  const bindings = new BindingCache({ namespace, resolver: naming, services, clients, clock, max: paths, idleMs })
  return { services, clients, bindings }
}

/** Of requests, and of responses too. */
export function headLimitsOf({ maxHeadersKB, maxInitialLineKB }: RouterConfig): HeadLimits {
  return { ...defaultLimits, maxStartLineBytes: maxInitialLineKB * 1024, maxFieldBytes: maxHeadersKB * 1024 }
}
