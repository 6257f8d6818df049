// K9: what leaves the API server leaves us, whatever else is known or gone: removal is by key and cannot fail.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { serviceOf, sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'

/** prod/web at 10.0.0.1 and 10.0.0.2 in two slices, and ten more services when the namespace is to be watched as a whole. */
async function createWorld(isWide: boolean) {
  const world = new KubernetesWorld()
  world.cluster.put(serviceOf())
  world.cluster.put(sliceOf({ name: 'web-1', endpoints: ['10.0.0.1'] }))
  world.cluster.put(sliceOf({ name: 'web-2', endpoints: ['10.0.0.2'] }))
  const seen = world.replicas('/prod/http/web')
  const byNumber = world.replicas('/prod/80/web')
  if (isWide) for (let i = 0; i < 10; i++) world.replicas(`/prod/http/other${i}`)
  await world.pass()
  expect([seen.shown, byNumber.shown]).toEqual(['10.0.0.1:8080 10.0.0.2:8080', '10.0.0.1:8080 10.0.0.2:8080'])
  return { world, cluster: world.cluster, seen, byNumber }
}

describe.each([
  ['its own watch', false],
  ["the namespace's watch", true],
])('K9: a name over %s equals what the slices say', (_, isWide) => {
  it('when the Service goes before its slices do', async () => {
    const { world, cluster, seen, byNumber } = await createWorld(isWide)
    cluster.remove('Service', 'prod', 'web')
    await world.pass()
    expect([seen.shown, byNumber.shown]).toEqual(['10.0.0.1:8080 10.0.0.2:8080', 'neg'])
    cluster.remove('EndpointSlice', 'prod', 'web-1')
    await world.pass()
    expect(seen.shown).toBe('10.0.0.2:8080')
    cluster.remove('EndpointSlice', 'prod', 'web-2')
    await world.pass()
    expect([seen.shown, world.report('prod/http/web')?.state]).toEqual(['neg', 'ok'])
  })

  it('when the Service goes after its slices', async () => {
    const { world, cluster, seen, byNumber } = await createWorld(isWide)
    cluster.remove('EndpointSlice', 'prod', 'web-1')
    cluster.remove('EndpointSlice', 'prod', 'web-2')
    await world.pass()
    expect([seen.shown, byNumber.shown]).toEqual(['neg', 'neg'])
    cluster.remove('Service', 'prod', 'web')
    await world.pass()
    expect([seen.shown, byNumber.shown]).toEqual(['neg', 'neg'])
  })

  it('when the watch missed the removal and a list has to tell', async () => {
    const { world, cluster, seen } = await createWorld(isWide)
    cluster.isDeaf = true
    cluster.remove('EndpointSlice', 'prod', 'web-1')
    cluster.put(sliceOf({ name: 'web-2', service: 'moved', endpoints: ['10.0.0.2'] }))
    await world.pass()
    expect(seen.shown).toBe('10.0.0.1:8080 10.0.0.2:8080')
    cluster.isDeaf = false
    cluster.relist()
    await world.pass()
    expect(seen.shown).toBe('neg')
  })

  it('when a slice becomes one of another service', async () => {
    const { world, cluster, seen } = await createWorld(isWide)
    cluster.put(sliceOf({ name: 'web-1', service: 'other0', endpoints: ['10.0.0.1'] }))
    const other = world.replicas('/prod/http/other0')
    await world.pass()
    expect([seen.shown, other.shown]).toEqual(['10.0.0.2:8080', '10.0.0.1:8080'])
  })

  it('when something is removed that was never there', async () => {
    const { world, cluster, seen } = await createWorld(isWide)
    const { length } = seen.states
    cluster.remove('EndpointSlice', 'prod', 'web-7')
    await world.pass()
    expect(seen.states).toHaveLength(length)
    expect(await world.metric('namer_k8s_errors_total')).toBe(0)
  })
})
