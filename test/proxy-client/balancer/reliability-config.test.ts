import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { accrualConfig } from '../../../proxy-client/accrual/accrual-config.ts'
import { balancerConfig } from '../../../proxy-client/balancer/balancer-config.ts'
import { classifierConfig } from '../../../proxy-client/classifier/classifier-config.ts'
import { retriesConfig } from '../../../proxy-client/retry/retry-config.ts'

describe('the configuration of reliability', () => {
  it("has linkerd's defaults", () => {
    const kinds = ['p2c', 'ewma', 'aperture', 'heap', 'roundRobin']
    expect(kinds.map(kind => balancerConfig.parse({ kind }))).toEqual([
      { kind: 'p2c', maxEffort: 5, enableProbation: false },
      { kind: 'ewma', maxEffort: 5, decayTimeMs: 10_000, enableProbation: false },
      {
        kind: 'aperture',
        maxEffort: 5,
        smoothWindowMs: 5_000,
        lowLoad: 0.5,
        highLoad: 2,
        minAperture: 1,
        enableProbation: false,
      },
      { kind: 'heap', enableProbation: false },
      { kind: 'roundRobin', maxEffort: 5, enableProbation: false },
    ])
    expect(retriesConfig.parse({})).toEqual({
      budget: { ttlSecs: 10, minRetriesPerSec: 10, percentCanRetry: 0.2 },
      backoff: { kind: 'constant', ms: 0 },
    })
    expect(accrualConfig.parse({ kind: 'io.l5d.consecutiveFailures' })).toMatchObject({ failures: 5 })
  })

  const refused: readonly (readonly [string, z.ZodType, object])[] = [
    ['a balancer that does not exist', balancerConfig, { kind: 'random' }],
    ['an option of another balancer', balancerConfig, { kind: 'p2c', decayTimeMs: 1 }],
    ['a load band upside down', balancerConfig, { kind: 'aperture', lowLoad: 2, highLoad: 2 }],
    ['no effort at all', balancerConfig, { kind: 'p2c', maxEffort: 0 }],
    ['a success rate above 1', accrualConfig, { kind: 'io.l5d.successRate', successRate: 1.1, requests: 5 }],
    ['a success rate without a window', accrualConfig, { kind: 'io.l5d.successRateWindowed', successRate: 0.9 }],
    ['options of no accrual', accrualConfig, { kind: 'none', failures: 5 }],
    ['a jitter without limits', retriesConfig, { backoff: { kind: 'jittered' } }],
    ['limits upside down', retriesConfig, { backoff: { kind: 'jittered', minMs: 2, maxMs: 1 } }],
    ['a memory of minutes', retriesConfig, { budget: { ttlSecs: 61 } }],
    ['an unknown key', retriesConfig, { retries: 3 }],
    ['a classifier of another protocol', classifierConfig, { kind: 'io.l5d.h2.nonRetryable5XX' }],
  ]
  it.each(refused)('refuses %s', (_, schema, config) => {
    expect(schema.safeParse(config).success).toBe(false)
  })
})
