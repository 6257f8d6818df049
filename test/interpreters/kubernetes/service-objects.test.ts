// How many watches there are for how many services, and that nobody goes without an answer while that changes.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld, type Seen } from './kubernetes.fixture.ts'
import { serviceOf, sliceOf } from './objects.fixture.ts'

const slices = '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices kubernetes.io/service-name'
const lingerMs = 30_000

/** A world with so many services, `s0` at 10.0.0.0 and so on. */
function worldOf(services: number): KubernetesWorld {
  const world = new KubernetesWorld()
  for (let i = 0; i < services; i++) world.cluster.put(sliceAt(i, `10.0.${i}.1`))
  return world
}

function sliceAt(i: number, ...addresses: string[]) {
  return sliceOf({ name: `s${i}-1`, service: `s${i}`, endpoints: addresses })
}

function watch(world: KubernetesWorld, from: number, to: number): Seen[] {
  return Array.from({ length: to - from }, (_, i) => world.replicas(`/prod/http/s${from + i}`))
}

const shownOf = (seen: readonly Seen[]): readonly string[] => seen.map(({ shown }) => shown)
const expectedOf = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `10.0.${i}.1:8080`)

describe('the services of a Kubernetes namespace', () => {
  it('have a watch each up to ten, whatever the number of their ports', async () => {
    const world = worldOf(10)
    const seen = watch(world, 0, 10)
    world.replicas('/prod/other/s0')
    await world.settle()
    expect(shownOf(seen)).toEqual(expectedOf(10))
    expect(world.cluster.open).toHaveLength(10)
    expect(world.cluster.open).toContain(`${slices}=s3`)
  })

  it('share one watch from the eleventh on, which has answered before the others end', async () => {
    const world = worldOf(11)
    const seen = watch(world, 0, 10)
    await world.pass()
    const states = seen.map(({ states }) => states.length)
    seen.push(...watch(world, 10, 11))
    expect(world.cluster.open).toHaveLength(11)
    await world.pass()
    expect(world.cluster.open).toEqual([slices])
    expect(shownOf(seen)).toEqual(expectedOf(11))
    expect(seen.slice(0, 10).map(({ states }) => states.length)).toEqual(states)
    expect(await world.metric('namer_k8s_wide')).toBe(1)
  })

  it('have a watch each again once five are left, not sooner', async () => {
    const world = worldOf(11)
    const seen = watch(world, 0, 11)
    await world.pass()
    for (const one of seen.splice(6)) one.stop()
    await world.pass(lingerMs)
    expect(world.cluster.open).toEqual([slices])
    seen.pop()?.stop()
    world.clock.advance(lingerMs - 1)
    const states = seen.map(({ states }) => states.length)
    await world.pass()
    expect([...world.cluster.open].sort()).toEqual([0, 1, 2, 3, 4].map(i => `${slices}=s${i}`))
    expect(shownOf(seen)).toEqual(expectedOf(5))
    expect(seen.map(({ states }) => states.length)).toEqual(states)
    world.cluster.put(sliceAt(0, '10.1.1.1'))
    await world.pass()
    expect(seen[0]?.shown).toBe('10.1.1.1:8080')
  })

  it('stay with the watch of the namespace when they become many while it is about to end', async () => {
    const world = worldOf(12)
    const seen = watch(world, 0, 11)
    await world.pass()
    for (const one of seen.splice(5)) one.stop()
    world.clock.advance(lingerMs - 1)
    world.cluster.refuse('endpointslices', 500)
    await world.pass()
    expect(world.cluster.open).toHaveLength(6)
    seen.push(...watch(world, 5, 12))
    world.cluster.allow('endpointslices')
    await world.pass()
    expect(world.cluster.open).toEqual([slices])
    expect(shownOf(seen)).toEqual(expectedOf(12))
  })

  it('keep the watch of the namespace while one of their own cannot be had, and are none the staler', async () => {
    const world = worldOf(11)
    const seen = watch(world, 0, 11)
    await world.pass()
    world.cluster.refuse(`${slices}=s0`, 500)
    for (const one of seen.splice(5)) one.stop()
    await world.pass(lingerMs)
    expect(shownOf(seen)).toEqual(expectedOf(5))
    expect(world.cluster.open).toHaveLength(6)
    world.cluster.put(sliceAt(0, '10.1.1.1'))
    await world.pass()
    expect(seen[0]?.shown).toBe('10.1.1.1:8080')
    world.cluster.allow(`${slices}=s0`)
    await world.pass()
    expect(world.cluster.open).not.toContain(slices)
  })

  it('keep the watches they have when they are few again before the one of the namespace has answered', async () => {
    const world = worldOf(11)
    const seen = watch(world, 0, 10)
    await world.pass()
    world.cluster.refuse('endpointslices', 500)
    seen.push(...watch(world, 10, 11))
    for (const one of seen.splice(5)) one.stop()
    await world.pass(lingerMs)
    world.cluster.allow('endpointslices')
    await world.pass()
    expect(shownOf(seen)).toEqual(expectedOf(5))
    expect([...world.cluster.open].sort()).toEqual([0, 1, 2, 3, 4].map(i => `${slices}=s${i}`))
    expect(world.cluster.opened).toHaveLength(11)
  })

  it('cost work for what changes only: 300 in one namespace', async () => {
    const world = worldOf(300)
    const seen = watch(world, 0, 300)
    await world.pass()
    expect(world.cluster.opened.filter(path => path === slices)).toHaveLength(1)
    expect(world.cluster.open).toEqual([slices])
    const before = (await world.metric('namer_k8s_updates_total')) ?? 0
    world.cluster.put(sliceAt(7, '10.1.1.1'))
    await world.pass()
    expect(seen[7]?.shown).toBe('10.1.1.1:8080')
    expect(await world.metric('namer_k8s_updates_total')).toBe(before + 1)
    world.cluster.bookmark()
    expect(await world.metric('namer_k8s_updates_total')).toBe(before + 1)
  })

  it('are told in several turns when one answer is news for all of them', async () => {
    const world = worldOf(450)
    const seen = watch(world, 0, 450)
    await world.pass()
    world.cluster.refuse('endpointslices', 500)
    await world.pass()
    world.cluster.allow('endpointslices')
    let before = (await world.metric('namer_k8s_updates_total')) ?? 0
    const inEachTurn: number[] = []
    while (world.clock.waiting > 0 && inEachTurn.reduce((sum, count) => sum + count, 0) < 450) {
      world.clock.turn()
      const now = (await world.metric('namer_k8s_updates_total')) ?? 0
      if (now > before) inEachTurn.push(now - before)
      before = now
    }
    expect(inEachTurn).toEqual([200, 200, 50])
    await world.pass()
    expect(shownOf(seen)).toEqual(expectedOf(450))
  })

  it('that are still to be told when the watch fails are told what it said, and that it fails', async () => {
    const world = worldOf(450)
    world.cluster.refuse('endpointslices', 500)
    const seen = watch(world, 0, 450)
    await world.pass()
    world.cluster.allow('endpointslices')
    while (world.cluster.load().objects < 450) world.clock.turn()
    expect(seen.filter(({ shown }) => shown.startsWith('10.')).length).toBeLessThan(450)
    world.cluster.refuse('endpointslices', 500)
    await world.pass()
    for (const { shown } of seen) expect(shown).toMatch(/^10\.0\.\d+\.1:8080 \(stale: .*500/)
    world.cluster.allow('endpointslices')
    await world.pass()
    expect(shownOf(seen)).toEqual(expectedOf(450))
  })

  it('have no watch of the Service unless they are asked for by number', async () => {
    const world = worldOf(1)
    world.cluster.put(serviceOf({ name: 's0' }))
    watch(world, 0, 1)
    await world.settle()
    expect(world.cluster.open).toEqual([`${slices}=s0`])
    const seen = world.replicas('/prod/80/s0')
    await world.settle()
    expect(world.cluster.open).toEqual([`${slices}=s0`, '/api/v1/namespaces/prod/services metadata.name=s0'])
    expect(seen.shown).toBe('10.0.0.1:8080')
  })

  it('leave nothing open once nobody watches', async () => {
    const world = worldOf(20)
    const seen = watch(world, 0, 20)
    await world.pass()
    for (const one of seen) one.stop()
    await world.pass(lingerMs)
    expect(world.cluster.open).toEqual([])
    expect([world.clock.waiting, await world.metric('namer_k8s_wide')]).toEqual([0, 0])
  })
})

describe('a failing watch of a namespace', () => {
  it('makes every name stale, and the first word after it heals every one', async () => {
    const world = worldOf(12)
    const seen = watch(world, 0, 12)
    await world.pass()
    world.cluster.refuse('endpointslices', 500)
    await world.pass()
    for (const { shown } of seen) expect(shown).toMatch(/^10\.0\.\d+\.1:8080 \(stale: .*500/)
    world.cluster.allow('endpointslices')
    await world.pass()
    expect(shownOf(seen)).toEqual(expectedOf(12))
  })

  it('does not make a service that it holds nothing of neg', async () => {
    const world = worldOf(12)
    watch(world, 0, 12)
    await world.pass()
    world.cluster.refuse('endpointslices', 500)
    await world.pass()
    const late = world.replicas('/prod/http/late')
    await world.pass()
    expect(late.shown).toMatch(/^failed: .*500/)
    world.cluster.allow('endpointslices')
    await world.pass()
    expect(late.shown).toBe('neg')
  })
})
