// Lays what the configuration says of a name over the defaults: every prefix that matches applies, the later one wins, key by
// key. Asked once for each client and service that is made, not for each request.
import type { Path } from '../../naming/path.ts'
import { clientSessionConfig, connectionPoolConfig } from '../pool/pool-config.ts'
import { budgetConfig, retriesConfig } from '../retry/retry-config.ts'
import type { ClientConfig } from './client-config.ts'
import type { ClientSettings } from './client-settings.ts'
import type { PrefixPattern } from './prefix-pattern.ts'
import type { ServiceConfig } from './service-config.ts'
import type { ServiceSettings } from './service-settings.ts'

export interface Settings {
  clientSettingsFor(id: Path): ClientSettings
  serviceSettingsFor(path: Path): ServiceSettings
}

const clientDefaults: ClientSettings = {
  loadBalancer: { kind: 'p2c', maxEffort: 5, enableProbation: false },
  failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 5 },
  clientSession: clientSessionConfig.parse({}),
  hostConnectionPool: connectionPoolConfig.parse({}),
  requeueBudget: budgetConfig.parse({}),
  requestAttemptTimeoutMs: undefined,
}

const serviceDefaults: ServiceSettings = {
  responseClassifier: { kind: 'io.l5d.http.nonRetryable5XX' },
  retries: retriesConfig.parse({}),
  totalTimeoutMs: undefined,
}

const everything: PrefixPattern = () => true

/** Settings are whole, defaults filled in. */
export function createSettings(config: { readonly client: ClientConfig; readonly service: ServiceConfig }): Settings {
  const clients =
    config.client.kind === 'io.l5d.static' ? config.client.configs : [{ prefix: everything, ...config.client }]
  const services =
    config.service.kind === 'io.l5d.static' ? config.service.configs : [{ prefix: everything, ...config.service }]
  return {
    clientSettingsFor: id => clients.filter(({ prefix }) => prefix(id)).reduce(layClient, clientDefaults),
    serviceSettingsFor: path => services.filter(({ prefix }) => prefix(path)).reduce(layService, serviceDefaults),
  }
}

type LayerOf<C> = C extends { readonly configs: readonly (infer L)[] } ? L : never
type ClientLayer = LayerOf<ClientConfig>
type ServiceLayer = LayerOf<ServiceConfig>

function layClient(below: ClientSettings, layer: ClientLayer): ClientSettings {
  return {
    loadBalancer: layer.loadBalancer ?? below.loadBalancer,
    failureAccrual: layer.failureAccrual ?? below.failureAccrual,
    clientSession: layer.clientSession ?? below.clientSession,
    hostConnectionPool: layer.hostConnectionPool ?? below.hostConnectionPool,
    requeueBudget: layer.requeueBudget ?? below.requeueBudget,
    requestAttemptTimeoutMs: layer.requestAttemptTimeoutMs ?? below.requestAttemptTimeoutMs,
  }
}

function layService(below: ServiceSettings, layer: ServiceLayer): ServiceSettings {
  return {
    responseClassifier: layer.responseClassifier ?? below.responseClassifier,
    retries: {
      budget: layer.retries?.budget ?? below.retries.budget,
      backoff: layer.retries?.backoff ?? below.retries.backoff,
    },
    totalTimeoutMs: layer.totalTimeoutMs ?? below.totalTimeoutMs,
  }
}
