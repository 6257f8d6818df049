// K12: endpoints that terminate get no traffic, unless nothing else is left and the operator said so; then the set says so too.
import { describe, expect, it } from 'vitest'
import { KubernetesWorld } from '../interpreters/kubernetes/kubernetes.fixture.ts'
import { type SliceEndpoint, sliceOf } from '../interpreters/kubernetes/objects.fixture.ts'

const leaving = { ready: false, serving: true, terminating: true }
const path = '/prod/http/web'

function worldWith(terminating: 'drop' | 'lastResort', ...endpoints: (string | SliceEndpoint)[]) {
  const world = new KubernetesWorld({ terminating })
  world.cluster.put(sliceOf({ endpoints }))
  const seen = world.replicas(path)
  world.clock.advance(100)
  const put = (...changed: (string | SliceEndpoint)[]): string => {
    world.cluster.put(sliceOf({ endpoints: changed }))
    world.clock.settle()
    world.clock.advance(100)
    return seen.shown
  }
  const metadata = (): unknown =>
    seen.last?.kind === 'ok' && seen.last.value.kind === 'bound' ? seen.last.value.metadata : undefined
  return { world, seen, put, metadata }
}

describe('K12: endpoints that terminate', () => {
  it('leave the set at once, in the turn in which they are told', () => {
    const { world, seen } = worldWith('drop', '10.0.0.1', '10.0.0.2')
    world.cluster.put(sliceOf({ endpoints: ['10.0.0.1', { address: '10.0.0.2', ...leaving }] }))
    world.clock.settle()
    expect(seen.shown).toBe('10.0.0.1:8080')
  })

  it('leave it empty when all terminate', () => {
    const { world, put, metadata } = worldWith('drop', '10.0.0.1')
    expect(put({ address: '10.0.0.1', ...leaving })).toBe('none')
    expect(metadata()).toBeUndefined()
    expect(world.report('prod/http/web')).toMatchObject({ state: 'ok' })
  })

  it('are the last resort while none is ready, if so configured, and the set says it', () => {
    const { put, metadata } = worldWith('lastResort', '10.0.0.1', '10.0.0.2')
    const notServing = { address: '10.0.0.3', ready: false, serving: false, terminating: true }
    expect(put('10.0.0.1', { address: '10.0.0.2', ...leaving })).toBe('10.0.0.1:8080')
    expect(metadata()).toBeUndefined()
    expect(put({ address: '10.0.0.1', ...leaving }, { address: '10.0.0.2', ...leaving }, notServing)).toBe(
      '10.0.0.1:8080 10.0.0.2:8080',
    )
    expect(metadata()).toEqual({ terminating: true })
    expect(put({ address: '10.0.0.1', ...leaving }, '10.0.0.9')).toBe('10.0.0.9:8080')
    expect(metadata()).toBeUndefined()
    expect(put(notServing)).toBe('none')
  })

  it('are not those that are merely not ready', () => {
    const { put } = worldWith('lastResort', '10.0.0.1')
    expect(put({ address: '10.0.0.1', ready: false, serving: true, terminating: false })).toBe('none')
  })

  it('are ready where readiness is not said, as the API rules', () => {
    const { put } = worldWith('drop', '10.0.0.1')
    expect(put({ address: '10.0.0.2', ready: null }, { address: '10.0.0.3' })).toBe('10.0.0.2:8080 10.0.0.3:8080')
  })
})
