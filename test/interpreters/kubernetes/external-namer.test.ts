import { describe, expect, it } from 'vitest'
import { KubernetesWorld } from './kubernetes.fixture.ts'
import { serviceOf } from './objects.fixture.ts'

describe('io.l5d.k8s.external', () => {
  it("gives the load balancer's addresses with the Service's port, by name and by number", async () => {
    const world = new KubernetesWorld({ external: true })
    world.cluster.put(
      serviceOf({
        ports: [
          { name: 'http', port: 80 },
          { name: 'dns', port: 53, protocol: 'UDP' },
        ],
        ingress: [{ ip: '192.0.2.2' }, { ip: '192.0.2.1' }, { ip: '192.0.2.2' }],
      }),
    )
    const seen = ['http', '80', 'dns', '81'].map(port => world.replicas(`/prod/${port}/web`))
    await world.settle()
    expect(seen.map(({ shown }) => shown)).toEqual([
      '192.0.2.1:80 192.0.2.2:80',
      '192.0.2.1:80 192.0.2.2:80',
      'neg',
      'neg',
    ])
    expect(world.cluster.opened).toEqual(['/api/v1/namespaces/prod/services metadata.name=web'])
  })

  it('follows the addresses of an ingress that is a host name', async () => {
    const world = new KubernetesWorld({ external: true })
    world.resolver.set('lb.example.org', { addresses: ['192.0.2.1'], ttlSeconds: 5 })
    world.cluster.put(serviceOf({ ingress: [{ hostname: 'lb.example.org' }] }))
    const seen = world.replicas('/prod/http/web')
    await world.settle()
    expect(seen.shown).toBe('192.0.2.1:80')
    world.resolver.set('lb.example.org', { addresses: ['192.0.2.7'], ttlSeconds: 5 })
    await world.pass(6_000)
    expect(seen.shown).toBe('192.0.2.7:80')
  })

  it('is not neg because no name server answers: it fails, or keeps its last addresses', async () => {
    const world = new KubernetesWorld({ external: true, rule: { emptyIsNeg: true } })
    world.resolver.set('lb.example.org', new Error('no name server answers'))
    world.cluster.put(serviceOf({ ingress: [{ hostname: 'lb.example.org' }] }))
    const [seen, tree] = [world.replicas('/prod/http/web'), world.tree('/prod/http/web')]
    await world.pass()
    expect([seen.shown, tree.last]).toEqual([expect.stringMatching(/^failed: .*no name server answers/), 'failed'])
    world.cluster.bookmark()
    await world.pass()
    expect(tree.last).toBe('failed')
    world.resolver.set('lb.example.org', { addresses: ['192.0.2.1'], ttlSeconds: 5 })
    await world.pass(60_000)
    expect([seen.shown, tree.last]).toEqual(['192.0.2.1:80', '/#/io.l5d.k8s.external/prod/http/web + /'])
    world.cluster.put(serviceOf({ ingress: [{ hostname: 'other.example.org' }] }))
    world.resolver.set('other.example.org', new Error('no name server answers'))
    await world.pass()
    expect(seen.shown).toMatch(/^192\.0\.2\.1:80 \(stale: .*no name server answers/)
    world.cluster.put(serviceOf({ ingress: [] }))
    await world.pass()
    expect(seen.shown).toBe('neg')
  })

  it('says of a Service without an ingress that it exists, with no endpoints', async () => {
    const world = new KubernetesWorld({ external: true })
    world.cluster.put(serviceOf())
    const [seen, tree] = [world.replicas('/prod/http/web'), world.tree('/prod/http/web/x')]
    await world.settle()
    expect([seen.shown, tree.last]).toEqual(['none', '/#/io.l5d.k8s.external/prod/http/web + /x'])
  })

  it('takes the Service only with the wanted value of the label', async () => {
    const world = new KubernetesWorld({ external: true, labelKey: 'tier' })
    world.cluster.put(serviceOf({ ingress: [{ ip: '192.0.2.1' }], labels: { tier: 'Edge' } }))
    const seen = ['/prod/http/web/edge', '/prod/http/web/core', '/prod/http/web'].map(path => world.replicas(path))
    await world.settle()
    expect(seen.map(({ shown }) => shown)).toEqual(['192.0.2.1:80', 'neg', 'neg'])
  })
})
