// Endpoints stand in for EndpointSlices that are absent or forbidden, for as long as they are.
import { describe, expect, it } from 'vitest'
import { lookAgainMs } from '../../../interpreters/kubernetes/slices-or-endpoints.ts'
import { KubernetesWorld } from './kubernetes.fixture.ts'
import { endpointsOf, sliceOf } from './objects.fixture.ts'

const slicesOfWeb = '/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices kubernetes.io/service-name=web'
const endpointsOfWeb = '/api/v1/namespaces/prod/endpoints metadata.name=web'

/** Slices at 10.0.0.1, Endpoints at 10.0.0.2. */
function createWorld(options: { readonly labelKey?: string } = {}): KubernetesWorld {
  const world = new KubernetesWorld(options)
  world.cluster.put(sliceOf())
  world.cluster.put(endpointsOf({ addresses: ['10.0.0.2'], labels: { version: 'v1' } }))
  return world
}

describe('Endpoints', () => {
  it.each([
    ['the API group is absent', '/apis/discovery.k8s.io/v1', 404],
    ['slices are forbidden', 'endpointslices', 403],
  ])('are read where %s, and nobody hears of the failure', async (_, refused, status) => {
    const world = createWorld()
    world.cluster.refuse(refused, status)
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    expect(seen.shown).toBe('10.0.0.2:8080')
    expect(seen.states.map(({ kind }) => kind)).toEqual(['pending', 'ok'])
    expect(world.cluster.open).toEqual([endpointsOfWeb])
    expect(world.lines.filter(({ level }) => level === 'warn').map(({ facts }) => facts)).toEqual([
      { namespace: 'prod', reason: status === 404 ? 'absent' : 'forbidden' },
    ])
    expect(await world.metric('namer_k8s_fallback')).toBe(1)
  })

  it('hold ready addresses with their nodes, of TCP ports', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 403)
    const [http, dns] = [world.replicas('/prod/http/web'), world.replicas('/prod/dns/web')]
    await world.pass()
    expect(http.last).toMatchObject({ value: { endpoints: [{ address: '10.0.0.2', metadata: { nodeName: 'n1' } }] } })
    expect(dns.shown).toBe('neg')
  })

  it('are chosen by the label as slices are', async () => {
    const world = createWorld({ labelKey: 'version' })
    world.cluster.refuse('endpointslices', 403)
    const seen = ['v1', 'v2'].map(version => world.replicas(`/prod/http/web/${version}`))
    await world.pass()
    expect(seen.map(({ shown }) => shown)).toEqual(['10.0.0.2:8080', 'neg'])
  })

  it('are not read where they are forbidden too: the failure is told', async () => {
    const world = createWorld()
    world.cluster.refuse('namespaces/prod', 403)
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    expect(seen.shown).toMatch(/^failed: .*403/)
    expect(world.cluster.open).toEqual([slicesOfWeb])
  })

  it('are not read when slices were refused for a moment only', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 403)
    const seen = world.replicas('/prod/http/web')
    world.clock.settle()
    world.cluster.allow('endpointslices')
    await world.pass()
    expect([seen.shown, world.cluster.open]).toEqual(['10.0.0.1:8080', [slicesOfWeb]])
    expect(world.cluster.asked).toEqual(['endpoints', 'endpointslices'].map(end => expect.stringContaining(`/${end}?`)))
  })

  it('are not read for a 404 while the API group has slices', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 404)
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    expect(seen.shown).toMatch(/^failed: .*404/)
    expect(world.cluster.asked).toEqual(['/apis/discovery.k8s.io/v1'])
    expect(world.cluster.open).toEqual([slicesOfWeb])
  })

  it('take over without a gap when slices become forbidden, and give way when they are allowed again', async () => {
    const world = createWorld()
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    world.cluster.refuse('endpointslices', 403)
    await world.pass()
    expect(seen.shown).toBe('10.0.0.2:8080')
    world.cluster.allow('endpointslices')
    await world.pass(lookAgainMs - 200)
    expect(world.cluster.open).toEqual([endpointsOfWeb])
    await world.pass(200)
    expect([seen.shown, world.cluster.open]).toEqual(['10.0.0.1:8080', [slicesOfWeb]])
    expect(seen.states.every(({ kind }) => kind !== 'failed')).toBe(true)
    expect(await world.metric('namer_k8s_fallback')).toBe(0)
    expect(world.lines.at(-1)).toMatchObject({ level: 'info', facts: { namespace: 'prod' } })
  })

  it('stay while slices stay forbidden, asked about once a minute', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 403)
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    const { length } = world.cluster.asked
    for (let minute = 0; minute < 3; minute++) await world.pass(lookAgainMs)
    expect(world.cluster.asked.slice(length)).toHaveLength(3)
    expect(seen.shown).toBe('10.0.0.2:8080')
    expect(world.cluster.open).toEqual([endpointsOfWeb])
  })
})

describe('a namespace that nobody follows any more', () => {
  it('is not asked for slices again', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 403)
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    seen.stop()
    await world.pass(30_000)
    const { length } = world.cluster.asked
    await world.pass(10 * lookAgainMs)
    expect([world.cluster.open, world.cluster.asked.length, world.clock.waiting]).toEqual([[], length, 0])
  })
})

describe('Endpoints that were cut off', () => {
  it('are used, and the name is stale with the reason: one line in the log, one in the gauge', async () => {
    const world = createWorld()
    world.cluster.refuse('endpointslices', 403)
    world.cluster.put(endpointsOf({ isTruncated: true }))
    const seen = world.replicas('/prod/http/web')
    await world.pass()
    expect(seen.shown).toMatch(/^10\.0\.0\.1:8080 \(stale: .*truncated/)
    expect(world.report('prod/http/web')).toMatchObject({
      state: 'stale',
      lastError: expect.stringContaining('truncated'),
    })
    world.cluster.put(endpointsOf({ isTruncated: true, addresses: ['10.0.0.1', '10.0.0.2'] }))
    await world.pass()
    expect(seen.shown).toMatch(/^10\.0\.0\.1:8080 10\.0\.0\.2:8080 \(stale: .*truncated/)
    expect(world.lines.filter(({ message }) => message.includes('truncated'))).toHaveLength(1)
    expect(world.events.filter(event => /^(failed|failed-again|recovered) io\.l5d\.k8s /.test(event))).toHaveLength(1)
    expect(await world.metric('namer_k8s_truncated')).toBe(1)
    world.cluster.bookmark()
    world.clock.settle()
    expect(world.report('prod/http/web')?.state).toBe('stale')
    world.cluster.put(endpointsOf({ addresses: ['10.0.0.2'] }))
    await world.pass()
    expect(seen.shown).toBe('10.0.0.2:8080')
    expect(await world.metric('namer_k8s_truncated')).toBe(0)
  })
})
