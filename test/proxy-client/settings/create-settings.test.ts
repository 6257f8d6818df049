import { describe, expect, it } from 'vitest'
import { clientConfig } from '../../../proxy-client/settings/client-config.ts'
import { createSettings, type Settings } from '../../../proxy-client/settings/create-settings.ts'
import { serviceConfig } from '../../../proxy-client/settings/service-config.ts'

function settings({ client = {}, service = {} }: { client?: object; service?: object }): Settings {
  return createSettings({ client: clientConfig.parse(client), service: serviceConfig.parse(service) })
}

const web = ['#', 'io.l5d.fs', 'web']
const users = ['#', 'io.l5d.fs', 'users']

describe('the settings of a client', () => {
  it("are linkerd's defaults without a word", () => {
    expect(settings({}).clientSettingsFor(web)).toEqual({
      loadBalancer: { kind: 'p2c', maxEffort: 5, enableProbation: false },
      failureAccrual: { kind: 'io.l5d.consecutiveFailures', failures: 5 },
      clientSession: { connectTimeoutMs: 1000, idleTimeMs: 60_000 },
      hostConnectionPool: { minSize: 0 },
      requeueBudget: { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.2 },
      requestAttemptTimeoutMs: undefined,
    })
  })

  it('are one for all without a kind', () => {
    const { clientSettingsFor } = settings({ client: { requestAttemptTimeoutMs: 5 } })
    expect(clientSettingsFor(web).requestAttemptTimeoutMs).toBe(5)
    expect(clientSettingsFor(users)).toEqual(clientSettingsFor(web))
  })

  it('are laid over each other by every prefix that matches, key by key, the later over the earlier', () => {
    const { clientSettingsFor } = settings({
      client: {
        kind: 'io.l5d.static',
        configs: [
          { prefix: '/', loadBalancer: { kind: 'ewma' }, requestAttemptTimeoutMs: 1000 },
          { prefix: '/#/*/{service}', hostConnectionPool: { maxSize: 3 } },
          { prefix: '/#/io.l5d.fs/users', requestAttemptTimeoutMs: 50, hostConnectionPool: { minSize: 1 } },
        ],
      },
    })
    expect(clientSettingsFor(web)).toMatchObject({
      loadBalancer: { kind: 'ewma', decayTimeMs: 10_000 },
      hostConnectionPool: { minSize: 0, maxSize: 3 },
      requestAttemptTimeoutMs: 1000,
    })
    expect(clientSettingsFor(users)).toMatchObject({
      loadBalancer: { kind: 'ewma' },
      requestAttemptTimeoutMs: 50,
      hostConnectionPool: { minSize: 1 },
    })
    expect(clientSettingsFor(users).hostConnectionPool.maxSize).toBeUndefined()
    expect(clientSettingsFor(['$', 'inet'])).toMatchObject({ hostConnectionPool: { minSize: 0 } })
  })

  it('are the defaults where no prefix matches', () => {
    const client = { kind: 'io.l5d.static', configs: [{ prefix: '/x', requestAttemptTimeoutMs: 1 }] }
    expect(settings({ client }).clientSettingsFor(web)).toEqual(settings({}).clientSettingsFor(web))
  })
})

describe('the settings of a service', () => {
  it("are linkerd's defaults without a word", () => {
    expect(settings({}).serviceSettingsFor(['svc', 'web'])).toEqual({
      responseClassifier: { kind: 'io.l5d.http.nonRetryable5XX' },
      retries: {
        budget: { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.2 },
        backoff: { kind: 'constant', ms: 0 },
      },
      totalTimeoutMs: undefined,
    })
  })

  it('take the budget and the back-off of retries each from where it is said', () => {
    const { serviceSettingsFor } = settings({
      service: {
        kind: 'io.l5d.static',
        configs: [
          { prefix: '/svc', retries: { budget: { percentCanRetry: 0.5 } }, totalTimeoutMs: 500 },
          { prefix: '/svc/web', retries: { backoff: { kind: 'jittered', minMs: 1, maxMs: 9 } } },
        ],
      },
    })
    expect(serviceSettingsFor(['svc', 'web'])).toMatchObject({
      retries: {
        budget: { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.5 },
        backoff: { kind: 'jittered', minMs: 1, maxMs: 9 },
      },
      totalTimeoutMs: 500,
    })
    expect(serviceSettingsFor(['svc', 'users']).retries.backoff).toEqual({ kind: 'constant', ms: 0 })
  })
})
