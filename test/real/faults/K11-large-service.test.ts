// K11: 2,500 pods in 25 real slices are all seen, and a rolling restart neither thins them out nor floods the clients.
import { describe, expect, it } from 'vitest'
import { endpointsOf, sizeOf, WatchedServer } from '../../e2e/watched-server.fixture.ts'
import { createHugeService, hugeAddresses, hugeService, restartHugeService } from '../huge-service.fixture.ts'
import { RealKubernetes } from '../kubernetes.fixture.ts'

/** Of a service that changes all the time. */
const publishEveryMs = 100
const writePauseMs = 5

describe('K11: a service of 2,500 pods', () => {
  it('is seen whole, and stays so through a rolling restart', async () => {
    await using kubernetes = await RealKubernetes.start()
    await createHugeService(kubernetes.api)
    await using server = await WatchedServer.start(await kubernetes.namer())
    const replicas = server.replicas(hugeService.path)
    await replicas.until(state => sizeOf(state) === hugeService.pods)
    expect(addressesOf(endpointsOf(replicas.state))).toEqual(hugeAddresses(0))

    const sizes: number[] = []
    replicas.onDelivery(state => sizes.push(sizeOf(state)))
    const begunAt = performance.now()
    const writes = await restartHugeService(kubernetes.api, writePauseMs)
    const renewed = hugeAddresses(1)
    const wholeAt = await replicas.until(state => {
      const seen = addressesOf(endpointsOf(state))
      return seen.size === renewed.size && seen.isSubsetOf(renewed)
    })
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0.9 * hugeService.pods)
    // Holds however slow the machine is: the first at once, then one in each spacing.
    expect(sizes.length).toBeLessThanOrEqual(2 + Math.ceil((wholeAt - begunAt) / publishEveryMs))
    expect(sizes.length).toBeLessThan(writes)
    expect(await server.metric('source_degraded')).toBe(0)
    expect(await server.metric('namer_k8s_drift')).toBe(0)
  })
})

function addressesOf(endpoints: ReturnType<typeof endpointsOf>): ReadonlySet<string | undefined> {
  return new Set((endpoints ?? []).map(({ address }) => address))
}
