// Lays what the configuration says of a name over the defaults: every prefix that matches applies, the later one wins, key by
// key. Asked once for each client and service that is made, not for each request.
import type { Path } from '../../naming/path.ts'
import { clientSessionConfig, connectionPoolConfig } from '../pool/pool-config.ts'
import { budgetConfig, retriesConfig } from '../retry/retry-config.ts'
import type { ClientConfig } from './client-config.ts'
import type { ClientSettings } from './client-settings.ts'
import { createPrefixPattern, type PrefixPattern } from './prefix-pattern.ts'
import type { ServiceConfig } from './service-config.ts'
import type { ServiceSettings } from './service-settings.ts'

interface SettingsConfig {
  readonly client: ClientConfig
  readonly service: ServiceConfig
}

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

/** Settings are whole, defaults filled in. */
export function createSettings({ client, service }: SettingsConfig): Settings {
  const clients = layersOf<ClientFields>(
    client.kind === 'io.l5d.static' ? client.configs : [{ prefix: '/', ...client }],
  )
  const services = layersOf<ServiceFields>(
    service.kind === 'io.l5d.static' ? service.configs : [{ prefix: '/', ...service }],
  )
  return {
    clientSettingsFor: id => matching(clients, id).reduce(layClient, clientDefaults),
    serviceSettingsFor: path => matching(services, path).reduce(layService, serviceDefaults),
  }
}

interface Layer<F> {
  readonly isFor: PrefixPattern
  readonly fields: F
}

function layersOf<F>(configs: readonly (F & { readonly prefix: string })[]): readonly Layer<F>[] {
  return configs.map(fields => ({ isFor: createPrefixPattern(fields.prefix), fields }))
}

function matching<F>(layers: readonly Layer<F>[], path: Path): readonly F[] {
  return layers.filter(({ isFor }) => isFor(path)).map(({ fields }) => fields)
}

type FieldsOf<C> = C extends { readonly configs: readonly (infer F)[] } ? Omit<F, 'prefix'> : never
type ClientFields = FieldsOf<ClientConfig>
type ServiceFields = FieldsOf<ServiceConfig>

function layClient(below: ClientSettings, layer: ClientFields): ClientSettings {
  return {
    loadBalancer: layer.loadBalancer ?? below.loadBalancer,
    failureAccrual: layer.failureAccrual ?? below.failureAccrual,
    clientSession: layer.clientSession ?? below.clientSession,
    hostConnectionPool: layer.hostConnectionPool ?? below.hostConnectionPool,
    requeueBudget: layer.requeueBudget ?? below.requeueBudget,
    requestAttemptTimeoutMs: layer.requestAttemptTimeoutMs ?? below.requestAttemptTimeoutMs,
  }
}

function layService(below: ServiceSettings, layer: ServiceFields): ServiceSettings {
  return {
    responseClassifier: layer.responseClassifier ?? below.responseClassifier,
    retries: {
      budget: layer.retries?.budget ?? below.retries.budget,
      backoff: layer.retries?.backoff ?? below.retries.backoff,
    },
    totalTimeoutMs: layer.totalTimeoutMs ?? below.totalTimeoutMs,
  }
}
