// K13: what others do in the cluster costs us little, and too much of it makes us old, never dead.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld, type Seen } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'

function unrelated(i: number, generation = 0) {
  return sliceOf({ name: `noise-${i}`, service: `noise${i}`, endpoints: [`10.9.${generation}.${i % 250}`] })
}

function follow(world: KubernetesWorld, count: number): Seen[] {
  return Array.from({ length: count }, (_, i) => {
    world.cluster.put(sliceOf({ name: `s${i}-1`, service: `s${i}`, endpoints: [`10.0.${i}.1`] }))
    return world.replicas(`/prod/http/s${i}`)
  })
}

describe('K13: services that nobody follows', () => {
  it('are left out by the server while few are followed', async () => {
    const world = new KubernetesWorld()
    follow(world, 3)
    for (let i = 0; i < 500; i++) world.cluster.put(unrelated(i))
    await world.pass()
    expect(await world.metric('namer_k8s_objects')).toBe(3)
  })

  it('compute nothing and publish nothing, however they churn', async () => {
    const world = new KubernetesWorld()
    const seen = follow(world, 12)
    for (let i = 0; i < 100; i++) world.cluster.put(unrelated(i))
    await world.pass()
    const states = seen.map(({ states }) => states.length)
    const computed = await world.metric('namer_k8s_updates_total')
    for (let generation = 1; generation <= 20; generation++) {
      for (let i = 0; i < 100; i++) world.cluster.put(unrelated(i, generation))
      world.clock.settle()
    }
    expect(seen.map(({ states }) => states.length)).toEqual(states)
    expect(await world.metric('namer_k8s_updates_total')).toBe(computed)
    for (let i = 0; i < 100; i++) world.cluster.remove('EndpointSlice', 'prod', `noise-${i}`)
    await world.pass()
    expect(await world.metric('namer_k8s_objects')).toBe(12)
  })
})

describe('K13: names in more Kubernetes namespaces than maxNamespaces', () => {
  it('open no more watches: others go on, these fail with the reason, and have their turn when there is a place', async () => {
    const world = new KubernetesWorld({ maxNamespaces: 3 })
    world.cluster.put(sliceOf({ name: 'web' }))
    const web = world.replicas('/prod/http/web')
    await world.settle()
    const scanned = Array.from({ length: 500 }, (_, n) => world.replicas(`/ns-${n}/http/web`))
    await world.settle()
    expect(world.cluster.opened).toHaveLength(3)
    expect(scanned.filter(({ last }) => last?.kind === 'failed')).toHaveLength(498)
    expect(scanned[2]?.shown).toMatch(/^failed: 3 Kubernetes namespaces are followed already; .*raise maxNamespaces/)
    expect(await world.metric('namer_k8s_namespaces_refused')).toBe(498)

    const also = world.replicas('/prod/http/api')
    await world.settle()
    expect([web.shown, also.shown]).toEqual(['10.0.0.1:8080', 'neg'])
    for (const one of scanned.slice(0, 2)) one.stop()
    await world.pass(30_000)
    expect(scanned.slice(2, 5).map(({ last }) => last?.kind)).toEqual(['ok', 'ok', 'failed'])

    for (const one of scanned) one.stop()
    await world.pass(30_000)
    expect(await world.metric('namer_k8s_namespaces_refused')).toBe(0)
    expect(world.cluster.open).toHaveLength(2)
  })
})

describe('K13: more objects than maxObjects', () => {
  it('keep what is held, refuse new names and say so, until there are fewer', async () => {
    const world = new KubernetesWorld({ maxObjects: 50 })
    const seen = follow(world, 12)
    await world.pass()
    for (let i = 0; i < 60; i++) world.cluster.put(unrelated(i))
    await world.pass()
    for (const [i, { shown }] of seen.entries()) expect(shown).toBe(`10.0.${i}.1:8080 (stale: more than 50 objects)`)
    expect(await world.metric('namer_k8s_objects')).toBe(12)
    expect(world.report('prod/http/s0')).toMatchObject({ state: 'stale', lastError: 'more than 50 objects' })
    const late = world.replicas('/prod/http/noise1')
    await world.pass()
    expect(late.shown).toBe('failed: more than 50 objects')
    expect(world.kernel.sources().filter(({ state }) => state !== 'ok')).toHaveLength(13)

    for (let i = 30; i < 60; i++) world.cluster.remove('EndpointSlice', 'prod', `noise-${i}`)
    await world.pass()
    expect(seen[0]?.shown).toBe('10.0.0.1:8080')
    expect(late.shown).toBe('10.9.0.1:8080')
    expect(world.kernel.sources().filter(({ state }) => state !== 'ok')).toEqual([])
  })

  it('at the first look leave the names that have their own watch as they are', async () => {
    const world = new KubernetesWorld({ maxObjects: 50 })
    for (let i = 0; i < 60; i++) world.cluster.put(unrelated(i))
    const seen = follow(world, 10)
    await world.pass()
    const late = world.replicas('/prod/http/noise1')
    await world.pass()
    expect(seen.map(({ shown }) => shown)).toEqual(seen.map((_, i) => `10.0.${i}.1:8080`))
    expect(late.shown).toBe('failed: more than 50 objects')
    world.cluster.put(sliceOf({ name: 's0-1', service: 's0', endpoints: ['10.1.1.1'] }))
    await world.pass()
    expect(seen[0]?.shown).toBe('10.1.1.1:8080')
  })
})
