// K11: a large service is many slices. All of it is seen, and a rolling restart is published in few steps, none of them a dip.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { endpointsOf, sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'

const slices = 25
const perSlice = 100

/** `generations[i]` is the third number of the address of pod i of the slice. */
function sliceAt(slice: number, generations: readonly number[]) {
  const endpoints = generations.map((generation, i) => `10.${slice}.${generation}.${i}`)
  return sliceOf({ name: `web-${slice}`, endpoints })
}

async function worldOf2500Pods() {
  const world = new KubernetesWorld()
  const generations = Array.from({ length: slices }, () => new Array<number>(perSlice).fill(0))
  for (const [slice, of] of generations.entries()) world.cluster.put(sliceAt(slice, of))
  const seen = world.replicas('/prod/http/web')
  await world.pass()
  const sizes = (): readonly number[] =>
    seen.states.flatMap(state =>
      state.kind === 'ok' && state.value.kind === 'bound' ? state.value.endpoints.length : [],
    )
  return { world, generations, seen, sizes }
}

describe('K11: a service of 2,500 pods in 25 slices', () => {
  it('is seen whole, at once', async () => {
    const { world, seen, sizes } = await worldOf2500Pods()
    expect(sizes()).toEqual([slices * perSlice])
    expect(seen.states).toHaveLength(2)
    expect(world.report('prod/http/web')).toMatchObject({ state: 'ok', observers: 1 })
  })

  it('is published once for a burst of changes in all its slices', async () => {
    const { world, generations, seen, sizes } = await worldOf2500Pods()
    const computed = (await world.metric('namer_k8s_updates_total')) ?? 0
    for (const [slice, of] of generations.entries()) world.cluster.put(sliceAt(slice, of.with(0, 1)))
    world.clock.settle()
    expect(seen.states).toHaveLength(3)
    expect(sizes()).toEqual([2_500, 2_500])
    expect(await world.metric('namer_k8s_updates_total')).toBe(computed + 1)
  })

  it('is published at most once in 100 ms through a rolling restart, and never falls below 90 %', async () => {
    const { world, generations, seen, sizes } = await worldOf2500Pods()
    const before = seen.states.length
    const startedAt = world.clock.now()
    const computed = (await world.metric('namer_k8s_updates_total')) ?? 0
    for (let pod = 0; pod < perSlice; pod += 5) {
      for (const [slice, of] of generations.entries()) {
        for (let i = pod; i < pod + 5; i++) of[i] = 1
        world.cluster.put(sliceAt(slice, of))
        world.clock.advance(2)
      }
    }
    world.clock.advance(100)
    const lasted = world.clock.now() - startedAt
    expect(seen.states.length - before).toBeGreaterThan(5)
    const most = 1 + Math.ceil(lasted / 100)
    expect(seen.states.length - before).toBeLessThanOrEqual(most)
    expect((await world.metric('namer_k8s_updates_total')) ?? 0).toBeLessThanOrEqual(computed + most)
    expect(Math.min(...sizes())).toBeGreaterThanOrEqual(2_250)
    const last = seen.last?.kind === 'ok' && seen.last.value.kind === 'bound' ? seen.last.value.endpoints : []
    expect(new Set(last.map(({ address }) => address.split('.')[2]))).toEqual(new Set(['1']))
  })

  it('shows a lone change without a wait, also after news that changed nothing', async () => {
    const { world, generations, seen } = await worldOf2500Pods()
    const { length } = seen.states
    world.cluster.put(sliceAt(4, generations[4] ?? []))
    world.clock.settle()
    expect(seen.states).toHaveLength(length)
    world.cluster.put(sliceAt(3, (generations[3] ?? []).with(7, 1)))
    world.clock.settle()
    expect(seen.states).toHaveLength(length + 1)
  })

  it('says loudly, where only Endpoints can be read, that it is not whole', async () => {
    const world = new KubernetesWorld()
    world.cluster.refuse('endpointslices', 403)
    const addresses = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
    world.cluster.put(endpointsOf({ addresses, isTruncated: true }))
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    expect(seen.last).toMatchObject({ value: { endpoints: { length: 1_000 } } })
    expect(world.report('prod/http/web')).toMatchObject({
      state: 'stale',
      lastError: expect.stringContaining('truncated'),
    })
    expect(await world.metric('namer_k8s_truncated')).toBe(1)
    expect(world.lines.filter(({ message }) => message.includes('truncated'))).toHaveLength(1)
  })
})
