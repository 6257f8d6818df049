import { beforeEach, describe, expect, test } from 'vitest'
import { grpcLimitDefaults } from '../../../api/grpc-limits.ts'
import { SubscriptionLimits } from '../../../api/push/subscription-limits.ts'
import type { Result } from '../../../naming/result.ts'
import { createMetrics, type Metrics } from '../../../runtime/metrics.ts'

const subscriber = (client: string) => ({ client, held: 0 })

let metrics: Metrics
let limits: SubscriptionLimits

beforeEach(() => {
  metrics = createMetrics()
  limits = new SubscriptionLimits({ perStream: 2, perClient: 3, perNamespace: 4, perServer: 5 }, metrics)
})

async function series(): Promise<readonly string[]> {
  const { body } = await metrics.expose()
  return body.split('\n').filter(line => line.startsWith('nameplane_subscriptions'))
}

function wordsOf(result: Result<void>): string {
  return result.ok ? 'taken' : `${result.error.code}: ${result.error.message}`
}

describe('the limits of subscriptions', () => {
  test('are of a stream, a client, a namespace and the server, and who is over one is told of it', async () => {
    const [first, second, other, third] = [subscriber('a'), subscriber('a'), subscriber('b'), subscriber('c')]
    for (const who of [first, first, second]) expect(limits.take(who, 'ns').ok).toBe(true)
    expect(wordsOf(limits.take(first, 'ns'))).toBe(
      'resource-exhausted: This stream holds 2 subscriptions, which is its limit.',
    )
    expect(wordsOf(limits.take(second))).toBe(
      'resource-exhausted: This client (a) holds 3 subscriptions, which is its limit.',
    )
    expect(limits.take(other, 'ns').ok).toBe(true)
    expect(wordsOf(limits.take(other, 'ns'))).toContain('This namespace (ns) holds 4 subscriptions')
    expect(limits.take(other).ok).toBe(true)
    expect(wordsOf(limits.take(third, 'another'))).toContain('This server holds 5 subscriptions')
    expect(await series()).toEqual([
      'nameplane_subscriptions_refused_total{scope="stream"} 1',
      'nameplane_subscriptions_refused_total{scope="client"} 1',
      'nameplane_subscriptions_refused_total{scope="namespace"} 1',
      'nameplane_subscriptions_refused_total{scope="server"} 1',
      'nameplane_subscriptions{scope="client"} 3',
      'nameplane_subscriptions{scope="namespace"} 4',
      'nameplane_subscriptions{scope="server"} 5',
      'nameplane_subscriptions_limit{scope="client"} 3',
      'nameplane_subscriptions_limit{scope="namespace"} 4',
      'nameplane_subscriptions_limit{scope="server"} 5',
      'nameplane_subscriptions_share{scope="client"} 1',
      'nameplane_subscriptions_share{scope="namespace"} 1',
      'nameplane_subscriptions_share{scope="server"} 1',
    ])
  })

  test('have room again for what is given back, and nothing is kept of who has gone', async () => {
    const who = subscriber('a')
    for (let i = 0; i < 100; i++) {
      expect(limits.take(who, `ns${i}`).ok).toBe(true)
      limits.give(who, `ns${i}`)
    }
    expect([who.held, limits.total]).toEqual([0, 0])
    expect([...limits.usage()].map(([, used]) => used)).toEqual([0, 0, 0])
  })

  test('let 10,000 proxies of 20 names, and 10,000 mesh streams beside them, come from one address', () => {
    const { streamsPerConnection, subscriptionsPerStream, perClient, perNamespace, perServer } = grpcLimitDefaults
    expect(Math.min(perClient, perNamespace, perServer)).toBeGreaterThanOrEqual(10_000 * 20 + 10_000)
    expect(Math.min(streamsPerConnection, subscriptionsPerStream)).toBeGreaterThanOrEqual(10_000)
  })
})
